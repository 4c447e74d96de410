// What a guest can do to a block ring of depth 8, by command line:
//
//	OP OFFSET DATA LEN   one request, hexadecimal or T, B, X, Q (end of memory, buffer, text, ring), +N or -N
//	tail V, head V       one of the guest's indices set to V
//	record               writes to the extension record
//	race                 changes requests while the tender takes them
//
// The answer is printed; a guest that survives exits with 99, or with 98 if
// no answer came.
#include "args.h"
#include "blockring.h"
MANIFEST(2, {.name = "storage", .type = 1}, {.name = "storage", .type = BLOCK_RING, .u = {.vcpus = {8}}});

static uint8_t buffer[8192] __attribute__((aligned(4096)));

// The next answer, or the end after twenty seconds.
static int32_t answer(void)
{
    uint64_t end = now() + 20000000000;
    while (ring->cq_tail == ring->cq_head)
        if (now() > end)
            halt(98);
    int32_t r = ring->cq[ring->cq_head % DEPTH].result;
    ring->cq_head++;
    return r;
}

static void race(void)
{
    for (unsigned round = 0; round < 2000; round++) {
        uint32_t i = ring->sq_tail % DEPTH;
        ring->sq[i].op = 1, ring->sq[i].zero = 0;
        ring->sq[i].offset = 0, ring->sq[i].data = (uintptr_t)buffer, ring->sq[i].len = 512;
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        ring->sq_tail++;
        __atomic_thread_fence(__ATOMIC_SEQ_CST); // or the flag may be read before the index is seen
        if (ring->needs_kick)
            kick_at(at_kick);
        for (uint32_t k = 0; ring->cq_tail == ring->cq_head; k++) {
            ring->sq[i].len = k % 2 ? 512 : 0x7ffffe00;
            ring->sq[i].offset = k % 3 ? 0 : 1ul << 63;
        }
        int32_t r = answer();
        if (r != 0 && r != 2)
            halt(97);
    }
    say("raced");
}

int run(const struct boot_info *bi, const char *arg)
{
    open_ring(bi);
    if (is(arg, "record")) {
        ((volatile struct extension *)extension_of(bi))->items = 0;
        return 99;
    }
    if (is(arg, "race")) {
        race();
        return 99;
    }
    if (arg[0] == 't' || arg[0] == 'h') {
        const char *at = arg + 4;
        uint32_t v = (uint32_t)argument(&at, 0);
        if (arg[0] == 't')
            ring->sq_tail = v;
        else
            ring->cq_head = v;
    } else {
        ring->sq[0].op = (uint32_t)argument(&arg, 0);
        ring->sq[0].offset = argument(&arg, bi->mem_size);
        ring->sq[0].data = argument(&arg, bi->mem_size);
        ring->sq[0].len = (uint32_t)argument(&arg, bi->mem_size);
        ring->sq_tail = 1;
    }
    kick_at(at_kick);
    if (arg[0] == 'h') // what lies before the index looks like an answer: give the tender its time
        for (uint64_t end = now() + 10000000000ul; now() < end;)
            ;
    say_number((uint64_t)answer());
    return 99;
}

static uint64_t meaning(char letter, uint64_t top)
{
    switch (letter) {
    case 'T': return top;
    case 'B': return (uintptr_t)buffer;
    case 'X': return (uintptr_t)run & ~15ul;
    case 'Q': return (uintptr_t)ring;
    }
    return 0;
}
