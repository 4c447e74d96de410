// Several vCPUs. argv[0] says what is tried:
//
//	start    what VCPU_START refuses, and that a started one gets argument and stack
//	ring N   two vCPUs exchange N messages through a ring in memory
//	park     a wake before a park is kept; a park without one times out
//	owner    devices and POLL are vCPU 0's
//	halt     vCPU 1 halts with 7 while 0 spins and 2 is parked
//	fault    vCPU 1 writes to the program, which no architecture lets it
//	abort    vCPU 1 halts with 255
//	sleep    both wait for ever
#include "guest.h"
MANIFEST(1, {.name = "cpus", .type = VCPUS, .u = {.vcpus = {3}}});

static uint8_t stacks[3][4096] __attribute__((aligned(16)));

static int start_at(uint32_t cpu, uint64_t entry, uint64_t stack, uint64_t argument)
{
    volatile struct vcpu_start s = {cpu, entry, stack, argument, -1};
    call(VCPU_START, &s);
    return s.ret;
}

static int start(uint32_t cpu, void (*entry)(uint64_t), uint64_t argument)
{
    return start_at(cpu, (uintptr_t)entry, (uintptr_t)stacks[cpu] + sizeof stacks[cpu], argument);
}

static int park(uint64_t timeout)
{
    volatile struct vcpu_park p = {timeout, -1};
    call(VCPU_PARK, &p);
    return p.ret;
}

static int wake(uint32_t cpu)
{
    volatile struct vcpu_wake w = {cpu, -1};
    call(VCPU_WAKE, &w);
    return w.ret;
}

// For a debugger to call.
int nudge(uint32_t cpu) { return wake(cpu); }

static void pause_cpu(void)
{
#if defined(__x86_64__)
    __asm__ volatile("pause" ::: "memory");
#else
    __asm__ volatile("yield" ::: "memory");
#endif
}

// The ring: vCPU 1 writes, vCPU 0 reads; each index has one writer.
#define SLOTS 1024u
static uint64_t slot[SLOTS];
static uint32_t head __attribute__((aligned(64))), tail __attribute__((aligned(64)));

static uint64_t message(uint64_t i) { return i * 0x9e3779b97f4a7c15u ^ i >> 7; }

// Each says that it sleeps before it looks for the last time, and the other
// looks after it wrote, so that no wake is missed.
static uint32_t asleep[2] __attribute__((aligned(64)));

static void sleep_if(uint32_t self, const uint32_t *word, uint32_t is)
{
    __atomic_store_n(&asleep[self], 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(word, __ATOMIC_SEQ_CST) == is)
        park(~0ull);
    __atomic_store_n(&asleep[self], 0, __ATOMIC_SEQ_CST);
}

static void rouse(uint32_t cpu)
{
    if (__atomic_load_n(&asleep[cpu], __ATOMIC_SEQ_CST))
        wake(cpu);
}

static void writer(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint32_t h = head, t;
        while (h - (t = __atomic_load_n(&tail, __ATOMIC_SEQ_CST)) == SLOTS)
            sleep_if(1, &tail, t);
        slot[h % SLOTS] = message(i);
        __atomic_store_n(&head, h + 1, __ATOMIC_SEQ_CST);
        rouse(0);
    }
    for (;;)
        park(~0ull);
}

static int ring(uint64_t count)
{
    uint64_t sum = 0, want = 0;
    if (start(1, writer, count))
        return 1;
    for (uint64_t i = 0; i < count; i++) {
        uint32_t t = tail;
        while (__atomic_load_n(&head, __ATOMIC_SEQ_CST) == t)
            sleep_if(0, &head, t);
        sum = sum * 31 + slot[t % SLOTS];
        want = want * 31 + message(i);
        __atomic_store_n(&tail, t + 1, __ATOMIC_SEQ_CST);
        rouse(1);
    }
    say_number(count), say(" messages, sum "), say_number(sum), say("\n");
    return sum != want;
}

static volatile uint64_t seen, where;

static void tell(uint64_t argument)
{
    where = (uintptr_t)__builtin_frame_address(0);
    seen = argument;
    for (;;)
        park(~0ull);
}

static int starts(void)
{
    uint64_t top = (uintptr_t)stacks[1] + sizeof stacks[1], entry = (uintptr_t)tell;
    if (start_at(0, entry, top, 1) != 1 /* AGAIN: it runs */ || start_at(3, entry, top, 1) != 2 ||
        start_at(1, 0x1000, top, 1) != 2 || start_at(1, ~0ull, top, 1) != 2 || start_at(1, entry, top + 8, 1) != 2 ||
        start_at(1, entry, 0, 1) != 2 || start_at(1, entry, ~15ull, 1) != 2 || seen)
        return 1;
    if (start(1, tell, 0x123456789abcdef0))
        return 2;
    while (!seen)
        pause_cpu();
    if (seen != 0x123456789abcdef0 || where >= top || where < top - 64)
        return 3;
    return start(1, tell, 1) == 1 ? 0 : 4;
}

static int parks(void)
{
    if (wake(0) || wake(0) || wake(7) != 2)
        return 1;
    if (park(~0ull)) // would sleep for ever
        return 2;
    uint64_t before = now();
    if (park(20000000) != 1 /* AGAIN */)
        return 3;
    return now() - before >= 20000000 ? 0 : 4;
}

static volatile uint64_t owned;

static void trespasser(uint64_t argument)
{
    (void)argument;
    volatile struct poll p = {~0ull, 0, 0};
    call(POLL, &p);
    volatile struct io io = {1, 0, 0x100000, 512, 0};
    call(BLKREAD, &io);
    volatile struct net n = {1, 0x100000, 64, 0};
    call(NETWRITE, &n);
    owned = p.ret == -1 && io.ret == 2 && n.ret == 2 ? 1 : 2;
    for (;;)
        park(~0ull);
}

static volatile uint8_t started; // for a debugger: nothing but parks is left to call

static void sleeper(uint64_t argument)
{
    (void)argument;
    for (;;)
        park(~0ull);
}

static void ender(uint64_t how)
{
    if (how == 0)
        *(volatile uint64_t *)(uintptr_t)sleeper = 1;
    halt((int)how);
}

int run(const struct boot_info *bi, const char *arg)
{
    (void)bi;
    if (is(arg, "start"))
        return starts();
    if (is(arg, "park"))
        return parks();
    if (arg[0] == 'r') {
        uint64_t n = 0;
        for (const char *p = arg + 5; *p >= '0' && *p <= '9'; p++)
            n = n * 10 + (uint64_t)(*p - '0');
        return ring(n);
    }
    if (is(arg, "owner")) {
        start(1, trespasser, 0);
        while (!owned)
            pause_cpu();
        return owned == 1 ? 0 : 1;
    }
    if (is(arg, "sleep")) {
        start(1, sleeper, 0), start(2, sleeper, 0);
        started = 1;
        for (;;)
            park(~0ull);
    }
    start(2, sleeper, 0);
    start(1, ender, is(arg, "halt") ? 7 : is(arg, "abort") ? 255 : 0);
    for (;;)
        pause_cpu();
}
