// What several vCPUs can do to a tender at once. The command line is
//
//	VERB NUMBERS NAME a b c d
//
// where NAME is a hypercall as in ../calls, or s, b or n for a request in
// Solo5's ring, the block device's or the network's: op, handle or offset, data, len.
//
//	one NAME...             once; the answer is printed
//	from NAME...            once, by vCPU 1
//	flood N NAME...         N times
//	race N W V NAME...      N times, while vCPU 1 changes 32-bit word W of the record or request to V and back
//	halt N NAME...          without end, until vCPU 1 halts with 7 after N turns of a loop
//	halts N                 all three halt with 7
//	wakes N                 vCPU 0 wakes itself N times and parks twice
//	tail V RING, head V RING   one of the guest's indices
//	full RING a b c d       twice as many requests as there are places; how many were taken is printed
//	scribble RING           vCPU 1 writes all over the ring while vCPU 0 kicks
//	octet RING              a kick of 8 bits
//	kicks N                 all three kick all rings
//	record, seed            writes to what can only be read
//
// Letters: T end of memory, B a buffer of 8 KiB, R the call's own record, X the
// program's text, Q the ring of the block device, E an entry point, S a stack.
// A guest that survives exits with 99; 98 is an answer that did not come, 97
// one that there is not.
#include "rings.h"
MANIFEST(7, {.name = "storage", .type = 1}, {.name = "radio", .type = 2},
         {.name = "cpus", .type = VCPUS, .u = {.vcpus = {3}}},
         {.name = "storage", .type = BLOCK_RING, .u = {.vcpus = {8}}},
         {.name = "radio", .type = NET_RING, .u = {.vcpus = {8}}},
         {.name = "seed", .type = SEED}, {.name = "notes", .type = CHANNEL, .u = {.vcpus = {4096}}});

static uint8_t buffer[8192] __attribute__((aligned(4096)));
static uint8_t stacks[3][4096] __attribute__((aligned(16)));
static volatile struct record record __attribute__((aligned(64)));
static uint64_t top;

// What the command line names: a call, or a request in a ring.
static struct said said;
static const struct ring *ring;
static struct asked asked;

static void begin(uint32_t cpu, void (*entry)(uint64_t), uint64_t argument)
{
    volatile struct vcpu_start s = {cpu, (uintptr_t)entry, (uintptr_t)stacks[cpu] + sizeof stacks[cpu], argument, -1};
    call(VCPU_START, &s);
    if (s.ret)
        halt(96);
}

static int read_name(const char **at)
{
    static const char *const names[] = {"s", "b", "n"};
    if (read_call(at, top, &record, &said))
        return 1;
    for (int i = 0; i < 3; i++)
        if (word(at, names[i])) {
            ring = &rings[i];
            asked.op = (uint32_t)argument(at, top);
            asked.a = argument(at, top);
            asked.data = argument(at, top);
            asked.len = (uint32_t)argument(at, top);
            return 1;
        }
    return 0;
}

// What vCPU 1 changes, and between which values.
static volatile uint32_t *volatile target;
static uint32_t which, values[2];
static volatile uint32_t flipping;

static void flip(uint64_t unused)
{
    (void)unused;
    for (;;) {
        volatile uint32_t *at = target;
        at[which] = values[1];
        at[which] = values[0];
        flipping = 1;
    }
}

static uint32_t once(void)
{
    if (!ring)
        return make_call(&said, &record);
    target = request(ring, ring->words[0]);
    leave(ring, &asked);
    kick_at(ring->kick);
    return answer(ring, asked.op);
}

// Frames come back from the peer: what is to be received is sent first.
static void feed(void)
{
    volatile struct net n = {said.kind == &kinds[9] ? 7 : 2, (uintptr_t)buffer, 64, -1};
    if ((said.kind && said.kind->call == NETREAD) || (ring == &rings[2] && asked.op == 4) || (ring == &rings[0] && asked.op == 2))
        call(NETWRITE, &n);
}

static int race(const char *at)
{
    uint64_t rounds = argument(&at, top);
    which = (uint32_t)argument(&at, top);
    values[1] = (uint32_t)argument(&at, top);
    if (!read_name(&at))
        return 95;
    target = (volatile uint32_t *)&record;
    if (ring) {
        target = request(ring, ring->words[0]);
        write_request(ring, &asked);
    } else {
        for (int w = 0; w < 4; w++)
            record.words[w] = said.words[w];
    }
    values[0] = target[which];
    begin(1, flip, 0);
    while (!flipping)
        ;
    for (uint64_t i = 0; i < rounds; i++) {
        feed();
        if (once() > 2 && (!said.kind || said.kind->call != POLL))
            return 97;
    }
    say("raced");
    return 99;
}

static void end(uint64_t turns)
{
    for (volatile uint64_t i = 0; i < turns; i++)
        ;
    halt(7);
}

static volatile uint32_t answered, given;

static void called(uint64_t unused)
{
    (void)unused;
    given = make_call(&said, &record);
    fence();
    answered = 1;
    for (;;)
        ;
}

static void write_all_over(uint64_t v)
{
    for (;;)
        for (uint32_t i = 0; i < 128; i++)
            ring->words[i] = (uint32_t)(v = v * 1664525 + 1013904223);
}

static void kick_all(uint64_t unused)
{
    (void)unused;
    for (;;)
        for (int i = 0; i < 3; i++)
            kick_at(rings[i].kick);
}

static int with_ring(const char *verb, const char *at)
{
    uint64_t v = verb[0] == 't' || verb[0] == 'h' ? argument(&at, top) : 0;
    if (!read_name(&at) || !ring)
        return 95;
    if (verb[0] == 's')
        begin(1, write_all_over, 1);
    if (verb[0] == 'f') {
        for (uint32_t i = 0; i < 2 * ring->depth; i++) {
            if (i == ring->depth)
                for (uint64_t since = now(); ring->words[16] != ring->depth;)
                    expire(since);
            leave(ring, &asked);
            kick_at(ring->kick);
        }
        for (uint64_t until = now() + 200000000; now() < until;)
            ;
        say_number(ring->words[16]);
        return 99;
    }
    uint32_t taken = ring->words[16];
    if (verb[0] == 't')
        ring->words[0] = (uint32_t)v;
    else if (verb[0] == 'h')
        ring->words[1] = (uint32_t)v;
    // Until the tender ends the guest, or believes the index, which those that are scribbled do not show.
    for (uint64_t since = now(); verb[0] == 's' || ring->words[16] == taken;) {
        kick_at(ring->kick);
        expire(since);
    }
    return 99;
}

static int octet(const char *at)
{
    if (!read_name(&at) || !ring)
        return 95;
#if defined(__x86_64__)
    __asm__ volatile("outb %b0, %w1" ::"a"(0), "d"((uint32_t)ring->kick) : "memory");
#else
    __asm__ volatile("strb wzr, [%0]" ::"r"(ring->kick) : "memory");
#endif
    return 99;
}

static int many(const char *at, int ends)
{
    uint64_t n = argument(&at, top);
    if (!word(&at, "spin") && !read_name(&at))
        return 95;
    if (ends)
        begin(1, end, n);
    for (uint64_t i = 0; ends || i < n; i++) {
        if (!said.kind && !ring)
            continue;
        feed();
        uint32_t r = once();
        if (i + 1 == n && !ends)
            say_number(r);
    }
    return 99;
}

static int wakes(uint64_t n)
{
    volatile struct vcpu_wake w = {0, -1};
    volatile struct vcpu_park p = {0, -1};
    while (n--)
        call(VCPU_WAKE, &w);
    for (int i = 0; i < 2; i++)
        call(VCPU_PARK, &p), say_number((uint32_t)p.ret);
    return 99;
}

int run(const struct boot_info *bi, const char *arg)
{
    const char *at = arg;
    top = bi->mem_size;
    open_rings(bi);
    struct extension *x = extension_of(bi);
    if (word(&at, "one")) {
        if (!read_name(&at))
            return 95;
        say_number(once());
        return 99;
    }
    if (word(&at, "race"))
        return race(at);
    if (word(&at, "flood"))
        return many(at, 0);
    if (word(&at, "halt"))
        return many(at, 1);
    if (word(&at, "octet"))
        return octet(at);
    if (word(&at, "wakes"))
        return wakes(argument(&at, top));
    if (word(&at, "from")) {
        if (!read_name(&at))
            return 95;
        begin(1, called, 0);
        while (!answered)
            ;
        say_number(given);
        return 99;
    }
    if (word(&at, "halts") || word(&at, "kicks")) {
        void (*what)(uint64_t) = arg[0] == 'h' ? end : kick_all;
        uint64_t n = argument(&at, top);
        begin(1, what, arg[0] == 'h' ? n : 0), begin(2, what, arg[0] == 'h' ? n : 0);
        while (n--)
            kick_at(rings[n % 3].kick);
        return arg[0] == 'h' ? 7 : 99;
    }
    if (word(&at, "record"))
        ((volatile struct extension *)x)->items = 0;
    else if (word(&at, "seed"))
        *(volatile uint8_t *)((uintptr_t)x + 0x1000) = 0;
    else if (word(&at, "tail") || word(&at, "head") || word(&at, "full") || word(&at, "scribble"))
        return with_ring(arg, at);
    return 95;
}

static uint64_t meaning(char letter, uint64_t end_of_memory)
{
    switch (letter) {
    case 'T': return end_of_memory;
    case 'B': return (uintptr_t)buffer;
    case 'R': return (uintptr_t)&record;
    case 'X': return (uintptr_t)run & ~15ul;
    case 'Q': return (uintptr_t)rings[1].words;
    case 'E': return (uintptr_t)kick_all;
    case 'S': return (uintptr_t)stacks[1] + sizeof stacks[1];
    }
    return 0;
}
