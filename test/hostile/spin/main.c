// Spins with interrupts off, floods the console, or waits for ever; "spins" and
// "parks" do so with three vCPUs.
#include "guest.h"
MANIFEST(1, {.name = "cpus", .type = VCPUS, .u = {.vcpus = {3}}});

static uint8_t stacks[3][1024] __attribute__((aligned(16)));

static void wait(uint64_t parks)
{
    volatile struct vcpu_park p = {~0ull, 0};
    while (parks)
        call(VCPU_PARK, &p);
#if defined(__x86_64__)
    __asm__ volatile("cli");
#endif
    for (;;)
        ;
}

static void all_wait(uint64_t parks)
{
    for (uint32_t cpu = 1; cpu < 3; cpu++) {
        volatile struct vcpu_start s = {cpu, (uintptr_t)wait, (uintptr_t)stacks[cpu] + sizeof stacks[cpu], parks, -1};
        call(VCPU_START, &s);
    }
    wait(parks);
}

static char text[4096];

int run(const struct boot_info *bi, const char *arg)
{
    (void)bi;
    volatile struct poll forever = {~0ull, 0, 0};
    say("here\n");
    if (is(arg, "flood"))
        for (;;)
            put(text, sizeof text);
    if (is(arg, "drip"))
        for (;;)
            put(text, 1);
    if (is(arg, "poll"))
        call(POLL, &forever);
    if (is(arg, "calls"))
        for (;;)
            now();
    if (is(arg, "spins") || is(arg, "parks"))
        all_wait(arg[0] == 'p');
    wait(0);
    return 0;
}
