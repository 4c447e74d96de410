// What the test guests share: notes, boot info and raw hypercalls of hvt
// ABI 2, so that a test can also say what no SDK would let it say.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct boot_info {
    uint64_t mem_size, kernel_end, cycle_freq, cmdline, mft;
    uint32_t host_features, guest_features;
    uint64_t net_ring;
};

#define NOTE __attribute__((used, aligned(8)))

struct abi_note {
    uint32_t namesz, descsz, type;
    char name[8];
    uint32_t target, version, r0, r1;
};
__attribute__((section(".note.abi"), used, aligned(4))) static const struct abi_note abi_note = {
    6, 16, 0x31494241, "Solo5", 1, 2, 0, 0};

struct mft_entry {
    char name[68];
    uint32_t type;
    union {
        struct { uint64_t capacity; uint16_t sector; } block;
        struct { uint8_t mac[6]; uint16_t mtu; } net;
        struct { uint32_t count; } vcpus; /* type VCPUS */
    } u;
    uint64_t host;
    uint8_t attached;
};
_Static_assert(sizeof(struct mft_entry) == 104, "manifest entry");

struct mft {
    uint32_t version, entries;
    struct mft_entry e[];
};

// MANIFEST(n, {entry}, ...) declares n devices after the reserved entry.
#define MANIFEST(n, ...)                                                       \
    __attribute__((section(".note.mft"), used, aligned(8))) static const struct { \
        uint32_t namesz, descsz, type;                                         \
        char name[8];                                                          \
        uint32_t pad, version, entries;                                        \
        struct mft_entry e[(n) + 1];                                           \
    } mft_note = {6, 12 + 104 * ((n) + 1), 0x3154464d, "Solo5", 0, 1, (n) + 1, \
                  {{.type = 1u << 30}, __VA_ARGS__}}

enum { WALLTIME = 1, PUTS, POLL, BLKWRITE, BLKREAD, NETWRITE, NETREAD, HALT,
       VCPU_START = 64, VCPU_PARK, VCPU_WAKE };
/* Manifest entry types beyond Solo5; u.vcpus.count is the first word of each. */
#define VCPUS 0x3a500002u
#define BLOCK_RING 0x3a500003u
#define NET_RING 0x3a500004u
#define CHANNEL 0x3a500005u
#define SEED 0x3a500006u

/* What the tender tells beyond Solo5; a ring's a is its depth. */
struct item { uint32_t type, index; uint64_t gpa, size, a, kick; uint32_t status, zero; };
struct extension { uint32_t magic, size, version, items; struct item item[]; };

static inline struct extension *extension_of(const struct boot_info *bi) { return *(struct extension *const *)(bi + 1); }

static inline void call_raw(int n, uint32_t gpa)
{
#if defined(__x86_64__)
    __asm__ volatile("outl %0, %1" ::"a"(gpa), "d"((uint16_t)(0x500 + n)) : "memory");
#else
    __asm__ volatile("str %w0, [%1]" ::"r"(gpa), "r"(0x100000000ul + 8 * n) : "memory");
#endif
}

/* Tells a ring's thread of requests; at is what the ring's item says, or SOLO5_KICK. */
static inline void kick_at(uint64_t at)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#if defined(__x86_64__)
    __asm__ volatile("outl %0, %w1" ::"a"(0), "d"((uint32_t)at) : "memory");
#else
    __asm__ volatile("str wzr, [%0]" ::"r"(at) : "memory");
#endif
}

#if defined(__x86_64__)
#define SOLO5_KICK 0x600ul
#else
#define SOLO5_KICK 0x100000100ul
#endif

static inline void call(int n, volatile void *arg) { call_raw(n, (uint32_t)(uintptr_t)arg); }

struct io { uint64_t handle, offset, data, len; int32_t ret; };
struct net { uint64_t handle, data, len; int32_t ret; };
struct vcpu_start { uint32_t cpu; uint64_t entry, stack, argument; int32_t ret; };
struct vcpu_park { uint64_t timeout; int32_t ret; };
struct vcpu_wake { uint32_t cpu; int32_t ret; };
struct poll { uint64_t timeout, ready; int32_t ret; };

static inline void halt(int status)
{
    volatile struct { uint64_t cookie; int32_t status; } h = {0, status};
    call(HALT, &h);
    for (;;)
        ;
}

static inline size_t length(const char *s)
{
    size_t n = 0;
    while (s[n])
        n++;
    return n;
}

static inline void put(const void *data, size_t n)
{
    volatile struct { uint64_t data, len; } p = {(uintptr_t)data, n};
    call(PUTS, &p);
}

static inline void say(const char *s) { put(s, length(s)); }

static inline void say_number(uint64_t v)
{
    char b[21], *p = b + 20;
    *p = 0;
    do
        *--p = '0' + v % 10;
    while (v /= 10);
    say(p);
}

static inline int is(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static inline uint64_t now(void)
{
    volatile uint64_t t = 0;
    call(WALLTIME, &t);
    return t;
}

static inline uint64_t cycles(void)
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

/* What POLL answers: ten times the ready set, and its result. */
static inline uint64_t polled(uint64_t timeout)
{
    volatile struct poll p = {timeout, 77, -1};
    call(POLL, &p);
    return p.ready * 10 + p.ret;
}

/* Takes a decimal number from the text. */
static inline uint64_t decimal(const char **at)
{
    uint64_t n = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++)
        n = n * 10 + (uint64_t)(**at - '0');
    return n;
}

int run(const struct boot_info *bi, const char *arg);

__attribute__((noreturn, used)) void _start(const struct boot_info *bi)
{
    halt(run(bi, (const char *)bi->cmdline));
    __builtin_unreachable();
}
