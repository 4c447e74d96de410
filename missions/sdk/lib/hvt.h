/*
 * hvt.h: the tender's side of the contract, hvt ABI 2, as the guest sees it.
 *
 * A hypercall hands the tender the guest-physical address, below 4 GiB, of a
 * record. Addresses are identity mapped. Fields are little endian.
 */
#ifndef PERILUNE_HVT_H
#define PERILUNE_HVT_H

#include "solo5.h"

/* Boot info, at 0x10000 and read-only. */
struct hvt_boot {
    uint64_t mem_size;   /* octets of guest memory */
    uint64_t kernel_end; /* first octet after the program */
    uint64_t cycle_freq; /* Hz of the cycle counter */
    const char *cmdline;
    const struct hvt_manifest *manifest;
    uint32_t host_features;
    uint32_t guest_features;
    uint64_t net_ring;
    const struct hvt_record *record; /* only with HVT_FEATURE_EXTENSION */
};

enum { HVT_BLOCK = 1, HVT_NET = 2 };

/* What a program may ask for beyond Solo5. A test holds these numbers against
 * package hvt, which says what they mean. */
#define HVT_VCPUS             0x3a500002u
#define HVT_BLOCK_RING        0x3a500003u
#define HVT_NET_RING          0x3a500004u
#define HVT_CHANNEL           0x3a500005u
#define HVT_SEED              0x3a500006u
#define HVT_FEATURE_EXTENSION 0x80000000u
#define HVT_RECORD_MAGIC      0x58454c50u
#define HVT_RECORD_VERSION    1u
#define HVT_ITEM_OK           1u

/* One item of the extension record; see package hvt for a, b. */
struct hvt_item {
    uint32_t type;
    uint32_t index; /* handle */
    uint64_t gpa;
    uint64_t size; /* octets */
    uint64_t a;
    uint64_t b;
    uint32_t status; /* HVT_ITEM_OK */
    uint32_t pad;
};
_Static_assert(sizeof(struct hvt_item) == 48, "extension record item");

struct hvt_record {
    uint32_t magic;
    uint32_t size; /* octets */
    uint32_t version;
    uint32_t items;
    struct hvt_item item[];
};

/* The first octets of a ring; submissions and completions follow. */
struct hvt_ring {
    uint32_t sq_tail, cq_head; /* ours */
    uint8_t pad0[56];
    uint32_t sq_head, cq_tail, needs_kick; /* the tender's */
    uint8_t pad1[180];
};
_Static_assert(sizeof(struct hvt_ring) == 0x100, "ring");

/* The item of the record with this type whose entry has this name, or NULL. */
const struct hvt_item *hvt_find_item(const char *name, uint32_t type);

/* One device of the manifest; its index is its handle. */
struct hvt_entry {
    char name[68];
    uint32_t type;
    union {
        struct {
            uint64_t capacity;
            uint16_t block_size;
        } block;
        struct {
            uint8_t mac[6];
            uint16_t mtu;
        } net;
    } u;
    uint64_t host;
    uint8_t attached;
    uint8_t pad[7];
};
_Static_assert(sizeof(struct hvt_entry) == 104, "manifest entry");

struct hvt_manifest {
    uint32_t version;
    uint32_t entries;
    struct hvt_entry entry[];
};

enum hvt_call {
    HVT_WALLTIME = 1,
    HVT_PUTS,
    HVT_POLL,
    HVT_BLOCK_WRITE,
    HVT_BLOCK_READ,
    HVT_NET_WRITE,
    HVT_NET_READ,
    HVT_HALT
};

struct hvt_walltime {
    uint64_t nsecs; /* out */
};
struct hvt_puts {
    const void *data;
    uint64_t len;
};
struct hvt_poll {
    uint64_t timeout;   /* nanoseconds */
    uint64_t ready_set; /* out */
    int32_t ret;        /* out */
};
struct hvt_block {
    uint64_t handle;
    uint64_t offset;
    const void *data; /* read by BLOCK_WRITE, written by BLOCK_READ */
    uint64_t len;     /* in and out */
    int32_t ret;      /* out */
};
struct hvt_net {
    uint64_t handle;
    const void *data; /* read by NET_WRITE, written by NET_READ */
    uint64_t len;     /* in and out */
    int32_t ret;      /* out */
};
struct hvt_halt {
    void *cookie;
    int32_t status;
};
_Static_assert(sizeof(struct hvt_block) == 40 && sizeof(struct hvt_net) == 32 &&
                   sizeof(struct hvt_poll) == 24 && sizeof(struct hvt_halt) == 16,
               "hypercall records");

#if defined(__x86_64__)

static inline void hvt_call(enum hvt_call n, volatile void *record)
{
    __asm__ volatile("outl %0, %w1"
                     :
                     : "a"((uint32_t)(uintptr_t)record), "d"(0x500 + (int)n)
                     : "memory");
}

/* Kicks a ring at its item's address. */
static inline void hvt_kick(uint64_t at)
{
    __asm__ volatile("outl %0, %w1" : : "a"(0), "d"((uint32_t)at) : "memory");
}

/* Before the next look at memory that another processor changes. */
static inline void hvt_relax(void)
{
    __asm__ volatile("pause" : : : "memory");
}

static inline uint64_t hvt_cycles(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

#elif defined(__aarch64__)

static inline void hvt_call(enum hvt_call n, volatile void *record)
{
    __asm__ volatile("str %w0, [%1]"
                     :
                     : "r"((uint32_t)(uintptr_t)record),
                       "r"(0x100000000UL + 8UL * n)
                     : "memory");
}

/* Kicks a ring at its item's address. */
static inline void hvt_kick(uint64_t at)
{
    __asm__ volatile("str wzr, [%0]" : : "r"(at) : "memory");
}

/* Before the next look at memory that another processor changes. */
static inline void hvt_relax(void)
{
    __asm__ volatile("yield" : : : "memory");
}

static inline uint64_t hvt_cycles(void)
{
    uint64_t count;

    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(count));
    return count;
}

#else
#error "the SDK knows x86_64 and aarch64"
#endif

/* Set once by the start code. */
extern const struct hvt_boot *hvt_boot;

/* Per architecture (trap_amd64.c, trap_arm64.c): catch traps from here on. */
void hvt_trap_init(void);

/* The same for one more vCPU, once the first has done it. */
void hvt_trap_load(void);

/* Gives the first vCPU its number (vcpu.c). */
void hvt_vcpu_init(void);

/* Ends the guest after a line on the console. what: the trap's name. */
void hvt_trap(const char *what, uint64_t code, uint64_t pc, uint64_t address)
    __attribute__((noreturn));

/* The heap that stdlib.h hands out. */
void hvt_heap_init(uintptr_t start, size_t size);

#endif
