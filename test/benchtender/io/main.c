// Reads a disk and sends frames as fast as it can, at CPL 3: there the
// processor runs it natively even where KVM is a software one, which emulates
// everything at CPL 0. IOPL 3, or the task's port map, lets hypercalls pass.
//
//	call N      N random reads of 4 KiB, each by calls of one sector
//	ring N      the same by the disk's ring, 64 at once
//	send N SIZE N frames of SIZE octets by the network's ring
//
// Prints "N NANOSECONDS KICKS", the latter without those before the first
// thousand answers: the tender sleeps until a guest begins.
#include <perilune_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ  4096u
#define BATCH 32u

static uint8_t buffer[2 * BATCH][READ] __attribute__((aligned(4096)));

#if defined(__x86_64__)
#define PAGE __attribute__((aligned(4096)))
static uint64_t pml4[512] PAGE, pdpt[512] PAGE, pd[5][512] PAGE;
static uint64_t gdt[7] = {0, 0x00af99000000ffff, 0x00cf93000000ffff,
                          0x00cff3000000ffff, 0x00affb000000ffff};
// A task state with a map that allows every port it names: where KVM emulates
// OUT, it may look here and not at IOPL.
static struct { uint8_t state[102]; uint16_t map_at; uint8_t map[512]; } __attribute__((packed, aligned(16))) task;
enum { USER_DATA = 3 * 8 | 3, USER_CODE = 4 * 8 | 3, LINK = 7, LARGE = 0x87 };
static uint8_t stack[65536] __attribute__((aligned(16)));

// The same addresses, 4 GiB and the extensions' GiB, for CPL 3 too.
static void map(void)
{
    static const uint64_t gib[5] = {0, 1, 2, 3, 6};

    pml4[0] = (uintptr_t)pdpt | LINK;
    for (int i = 0; i < 5; i++) {
        pdpt[gib[i]] = (uintptr_t)pd[i] | LINK;
        for (uint64_t k = 0; k < 512; k++)
            pd[i][k] = gib[i] << 30 | k << 21 | LARGE;
    }
}

static __attribute__((noreturn)) void user(void (*f)(void))
{
    struct { uint16_t size; uint64_t at; } __attribute__((packed)) g = {sizeof gdt - 1, (uintptr_t)gdt};

    uint64_t at = (uintptr_t)&task;
    task.map_at = 104;
    task.map[511] = 0xff;
    gdt[5] = (sizeof task - 1) | (at & 0xffffff) << 16 | 0x89ul << 40 | (at >> 24 & 0xff) << 56;
    map();
    __asm__ volatile("lgdt %0\n mov %1, %%cr3\n ltr %w2" ::"m"(g), "r"(pml4), "r"(5 * 8) : "memory");
    __asm__ volatile("pushq %0\n pushq %1\n pushq $0x3002\n pushq %2\n pushq %3\n iretq" ::"i"(USER_DATA),
                     "r"(stack + sizeof stack - 8), "i"(USER_CODE), "r"(f) : "memory");
    __builtin_unreachable();
}
#else
static __attribute__((noreturn)) void user(void (*f)(void))
{
    f(); // EL1: no such KVM here
    __builtin_unreachable();
}
#endif

static const char *line;

static unsigned long number(const char **at)
{
    char *end;
    unsigned long n = strtoul(*at, &end, 10);

    *at = end;
    return n;
}

static uint64_t random_block(uint64_t blocks)
{
    static uint64_t x = 88172645463325252; // xorshift64

    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    return x % blocks;
}

static void fail(const char *what)
{
    printf("no %s\n", what);
    solo5_exit(1);
}

static void report(unsigned long n, uint64_t begin, uint64_t kicks)
{
    printf("%lu %lu %lu\n", n, (unsigned long)(solo5_clock_monotonic() - begin), (unsigned long)kicks);
    solo5_exit(0);
}

static void by_calls(unsigned long n, solo5_handle_t h, const struct solo5_block_info *info)
{
    uint64_t begin = solo5_clock_monotonic();

    for (unsigned long i = 0; i < n; i++) {
        uint64_t at = random_block(info->capacity / READ) * READ;
        for (uint64_t o = 0; o < READ; o += info->block_size)
            if (solo5_block_read(h, at + o, buffer[0] + o, info->block_size) != SOLO5_R_OK)
                fail("read");
    }
    report(n, begin, 0);
}

// Keeps the ring full: each answer's buffer goes back with a new request.
static void by_ring(unsigned long n, struct perilune_ring *ring, uint32_t op, uint32_t size, uint64_t blocks)
{
    struct perilune_request r[BATCH];
    struct perilune_answer a[BATCH];
    uint32_t idle[2 * BATCH], free = 2 * BATCH;
    unsigned long left = n, done = 0;
    uint64_t begin = solo5_clock_monotonic(), before = 0; // kicks until both are awake

    for (uint32_t i = 0; i < free; i++)
        idle[i] = i;
    while (done < n) {
        uint32_t k = 0;
        for (; k < BATCH && free > 0 && left > 0; k++, left--) {
            uint32_t id = idle[--free];
            r[k] = (struct perilune_request){op, id, blocks ? random_block(blocks) * READ : 0, buffer[id], size, 0};
        }
        if (k > 0 && perilune_ring_submit(ring, r, k) != k)
            fail("room");
        size_t got = perilune_ring_complete(ring, a, BATCH);
        for (size_t i = 0; i < got; i++) {
            if (a[i].result != SOLO5_R_OK)
                fail("answer");
            idle[free++] = a[i].id;
        }
        done += got;
        if (done < 1000)
            before = ring->kicks;
    }
    report(n, begin, ring->kicks - before);
}

static void bench(void)
{
    solo5_handle_t h;
    struct solo5_block_info info;
    struct perilune_ring ring;
    const char *at = line + 4;
    unsigned long n = number(&at);

    if (strncmp(line, "send", 4) == 0) {
        if (perilune_ring_acquire("radio", PERILUNE_NET_RING, &ring) != SOLO5_R_OK)
            fail("net ring");
        memset(buffer, 0xff, sizeof buffer); // broadcast
        by_ring(n, &ring, PERILUNE_RING_SEND, (uint32_t)number(&at), 0);
    }
    if (solo5_block_acquire("disk", &h, &info) != SOLO5_R_OK)
        fail("disk");
    if (strncmp(line, "call", 4) == 0)
        by_calls(n, h, &info);
    if (perilune_ring_acquire("disk", PERILUNE_BLOCK_RING, &ring) != SOLO5_R_OK)
        fail("block ring");
    by_ring(n, &ring, PERILUNE_RING_READ, READ, info.capacity / READ);
}

int solo5_app_main(const struct solo5_start_info *si)
{
    line = si->cmdline;
    user(bench);
}
