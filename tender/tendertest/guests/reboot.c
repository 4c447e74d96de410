// A guest to be saved and restored: it keeps time, and a disk by a block ring. The argument
// is how many rounds. Each writes a sector, reads it again, and says the cycle counter and
// the wall clock; one answer is left unread in the ring while the guest sleeps. A wrong
// answer, a sector that is not what was written, or a clock that goes back ends it.
#include "guest.h"
MANIFEST(3, {.name = "disk", .type = 1}, {.name = "disk", .type = 0x3a500003, .u = {.vcpus = {8}}},
         {.name = "cpus", .type = VCPUS, .u = {.vcpus = {2}}}); // for PARK

#define DEPTH 8u
#define SECTORS 16u
enum { READ = 1, WRITE };
struct ring {
    volatile uint32_t sq_tail, cq_head;
    uint8_t pad0[56];
    volatile uint32_t sq_head, cq_tail, needs_kick;
    uint8_t pad1[180];
    volatile struct { uint32_t op, id; uint64_t offset, data; uint32_t len, zero; } sq[DEPTH];
    volatile struct { uint32_t id; int32_t result; uint32_t len, zero; } cq[DEPTH];
};
struct item { uint32_t type, index; uint64_t gpa, size, a, kick; uint32_t status, zero; };
struct record { uint32_t magic, size, version, items; struct item item[]; };

static uint8_t out[512] __attribute__((aligned(512))), in[512] __attribute__((aligned(512)));
static struct ring *ring;
static uint64_t at_kick;

static uint64_t cycles(void)
{
#if defined(__x86_64__)
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
#else
    uint64_t n;
    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(n));
    return n;
#endif
}

static void submit(uint32_t op, uint64_t round, uint8_t *data)
{
    uint32_t i = ring->sq_tail % DEPTH;
    ring->sq[i].op = op, ring->sq[i].id = (uint32_t)round * 2 + op, ring->sq[i].zero = 0;
    ring->sq[i].offset = round % SECTORS * 512, ring->sq[i].data = (uintptr_t)data, ring->sq[i].len = 512;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    ring->sq_tail++;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!ring->needs_kick)
        return;
#if defined(__x86_64__)
    __asm__ volatile("outl %0, %w1" ::"a"(0), "d"((uint32_t)at_kick) : "memory");
#else
    __asm__ volatile("str wzr, [%0]" ::"r"(at_kick) : "memory");
#endif
}

// The next answer, which must be the one to this request.
static void answered(uint32_t op, uint64_t round)
{
    while (ring->cq_tail == ring->cq_head)
        ;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    uint32_t i = ring->cq_head % DEPTH;
    if (ring->cq[i].id != (uint32_t)round * 2 + op || ring->cq[i].result)
        say("wrong answer\n"), halt(2);
    ring->cq_head++;
}

static void fill(uint8_t *b, uint64_t round)
{
    for (unsigned i = 0; i < 512; i++)
        b[i] = (uint8_t)(round * 7 + i);
}

int run(const struct boot_info *bi, const char *arg)
{
    const struct record *r = *(const struct record *const *)(bi + 1);
    ring = (struct ring *)r->item[0].gpa;
    at_kick = r->item[0].kick;
    uint64_t rounds = 0, before = cycles(), wall = now();
    for (; *arg >= '0' && *arg <= '9'; arg++)
        rounds = rounds * 10 + (uint64_t)(*arg - '0');
    say("hz "), say_number(bi->cycle_freq), say("\n");
    for (uint64_t round = 1; round <= rounds; round++) {
        fill(out, round);
        submit(WRITE, round, out);
        answered(WRITE, round);
        submit(READ, round, in);
        volatile struct vcpu_park p = {20000000, -1}; // the answer to READ waits meanwhile
        call(VCPU_PARK, &p);
        answered(READ, round);
        for (unsigned i = 0; i < 512; i++)
            if (in[i] != out[i])
                say("wrong sector\n"), halt(3);
        uint64_t c = cycles(), w = now();
        if (c < before || w < wall)
            say("a clock went back\n"), halt(4);
        before = c, wall = w;
        say("round "), say_number(round), say(" cycles "), say_number(c), say(" wall "), say_number(w), say("\n");
    }
    say("all rounds\n");
    return 0;
}
