// Declares all that a manifest has room for: eight vCPUs and 31 block devices,
// each with a ring. All vCPUs leave requests and kick for as long as they live;
// text comes once every ring has answered.
#include "guest.h"

#define EACH(M) \
    M("d00") M("d01") M("d02") M("d03") M("d04") M("d05") M("d06") M("d07") M("d08") M("d09") M("d10") \
    M("d11") M("d12") M("d13") M("d14") M("d15") M("d16") M("d17") M("d18") M("d19") M("d20") M("d21") \
    M("d22") M("d23") M("d24") M("d25") M("d26") M("d27") M("d28") M("d29") M("d30")
#define DISK(n) {.name = n, .type = 1},
#define RING(n) {.name = n, .type = BLOCK_RING, .u = {.vcpus = {8}}},
MANIFEST(63, EACH(DISK) EACH(RING) {.name = "cpus", .type = VCPUS, .u = {.vcpus = {8}}});

static uint8_t buffer[512] __attribute__((aligned(512))), stacks[8][1024] __attribute__((aligned(16)));
static const struct extension *extension;

// leave asks ring n for one sector, if all before is answered.
static int leave(uint32_t n)
{
    volatile uint32_t *words = (volatile uint32_t *)extension->item[n].gpa;
    if (words[17] != words[0])
        return 0;
    words[1] = words[17];
    volatile uint32_t *at = words + 0x100 / 4 + words[0] % 8 * 8;
    at[0] = 1, at[1] = n, at[2] = at[3] = 0, at[5] = 0, at[6] = sizeof buffer, at[7] = 0;
    at[4] = (uint32_t)(uintptr_t)buffer;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    words[0]++;
    kick_at(extension->item[n].kick);
    return 1;
}

static void forever(uint64_t unused)
{
    (void)unused;
    for (uint32_t n = 0;; n = (n + 1) % 31)
        kick_at(extension->item[n].kick);
}

int run(const struct boot_info *bi, const char *arg)
{
    (void)arg;
    extension = extension_of(bi);
    for (uint32_t cpu = 1; cpu < 8; cpu++) {
        volatile struct vcpu_start s = {cpu, (uintptr_t)forever, (uintptr_t)stacks[cpu] + sizeof stacks[cpu], 0, -1};
        call(VCPU_START, &s);
        if (s.ret)
            return 1;
    }
    for (uint32_t round = 0; round < 3; round++)
        for (uint32_t n = 0; n < 31; n++)
            while (!leave(n))
                ;
    for (;;) {
        say("all\n");
        for (uint32_t n = 0; n < 31; n++)
            leave(n);
    }
}
