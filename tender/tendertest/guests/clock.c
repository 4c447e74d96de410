// Counts, and says what its clocks do: a line a round with the number, the
// milliseconds of the cycle counter since the round before, and whether it
// ever went back or jumped by more than ten minutes. The argument is how many rounds;
// with NET, the one in which a frame waits is the last. vCPU 1 counts in memory, and must go on
// after all rounds; both wait in PARK or POLL between two rounds.
#include "guest.h"
#ifdef DISK
MANIFEST(2, {.name = "disk", .type = 1}, {.name = "cpus", .type = VCPUS, .u = {.vcpus = {2}}});
#elif defined(NET)
MANIFEST(2, {.name = "net", .type = 2}, {.name = "cpus", .type = VCPUS, .u = {.vcpus = {2}}});
#else
MANIFEST(1, {.name = "cpus", .type = VCPUS, .u = {.vcpus = {2}}});
#endif
#ifdef NET
enum { FRAMES = 1 };
#else
enum { FRAMES = 0 };
#endif

static uint8_t stack[4096] __attribute__((aligned(16)));
static uint64_t beats;

static int wait_in(int call_number, uint64_t ns)
{
    if (call_number == POLL) {
        volatile struct poll p = {ns, 0, -1};
        call(POLL, &p);
        return p.ret;
    }
    volatile struct vcpu_park p = {ns, -1};
    call(VCPU_PARK, &p);
    return p.ret;
}

static void beat(uint64_t argument)
{
    (void)argument;
    for (;;) {
        wait_in(VCPU_PARK, 1000000);
        __atomic_add_fetch(&beats, 1, __ATOMIC_SEQ_CST);
    }
}

int run(const struct boot_info *bi, const char *arg)
{
    uint64_t rounds = decimal(&arg), jumps = 0, wall = now();
    volatile struct vcpu_start s = {1, (uintptr_t)beat, (uintptr_t)stack + sizeof stack, 0, -1};
    call(VCPU_START, &s);
    if (s.ret)
        return 2;
    uint64_t before = cycles();
    int told = 0;
    for (uint64_t i = 0; i < rounds && !told; i++) {
        int r = wait_in(i & 1 ? POLL : VCPU_PARK, 20000000);
        told = FRAMES && i & 1 && r == 1;
        if (!told && r != (i & 1 ? 0 : 1))
            return 3;
        uint64_t c = cycles(), w = now();
        uint64_t ms = (c - before) / (bi->cycle_freq / 1000);
        jumps += c < before || ms > 600000 || w < wall;
        before = c, wall = w;
        say("round "), say_number(i), say(" +"), say_number(ms), say(" ms\n");
    }
    uint64_t seen = __atomic_load_n(&beats, __ATOMIC_SEQ_CST), since = now();
    int went = 0;
    while (!went && now() - since < 60000000000)
        wait_in(VCPU_PARK, 1000000), went = __atomic_load_n(&beats, __ATOMIC_SEQ_CST) != seen;
    say("jumps "), say_number(jumps), say(", beats "), say(went ? "went on" : "stopped"), say("\n");
    return jumps != 0;
}
