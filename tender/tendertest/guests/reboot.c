// A guest to be saved and restored: it keeps time, and a disk by a block ring. The argument
// is how many rounds; without one, they end once the octet behind the disk's sectors is set, which the
// host may do. Each writes a sector, reads it again, and says the cycle counter and
// the wall clock; one answer is left unread in the ring while the guest sleeps. A wrong
// answer, a sector that is not what was written, or a clock that goes back ends it.
#include "blockring.h"
MANIFEST(3, {.name = "disk", .type = 1}, {.name = "disk", .type = BLOCK_RING, .u = {.vcpus = {8}}},
         {.name = "cpus", .type = VCPUS, .u = {.vcpus = {2}}}); // for PARK

#define SECTORS 16u
enum { READ = 1, WRITE };

static uint8_t out[512] __attribute__((aligned(512))), in[512] __attribute__((aligned(512)));

static void submit_at(uint64_t sector, uint32_t op, uint64_t round, uint8_t *data)
{
    uint32_t i = ring->sq_tail % DEPTH;
    ring->sq[i].op = op, ring->sq[i].id = (uint32_t)round * 2 + op, ring->sq[i].zero = 0;
    ring->sq[i].offset = sector * 512, ring->sq[i].data = (uintptr_t)data, ring->sq[i].len = 512;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    ring->sq_tail++;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (ring->needs_kick)
        kick_at(at_kick);
}

static void submit(uint32_t op, uint64_t round, uint8_t *data) { submit_at(round % SECTORS, op, round, data); }

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

// Whether the host has set the octet behind the sectors.
static int told(uint64_t round)
{
    submit_at(SECTORS, READ, round, in);
    answered(READ, round);
    return in[0];
}

int run(const struct boot_info *bi, const char *arg)
{
    open_ring(bi);
    int waits = !*arg;
    uint64_t rounds = decimal(&arg), before = cycles(), wall = now();
    say("hz "), say_number(bi->cycle_freq), say("\n");
    for (uint64_t round = 1; waits ? !told(round) : round <= rounds; round++) {
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
