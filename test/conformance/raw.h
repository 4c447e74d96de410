// What the guests of this suite share: the contract below Solo5's interface,
// so that they can also say what no library lets them say.
#pragma once
#include <solo5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Boot info as the tender hands it over.
struct boot {
    uint64_t mem_size, kernel_end, cycle_freq;
    const char *cmdline;
    const uint8_t *manifest;
    uint32_t host_features, guest_features;
    uint64_t net_ring;
};
extern const struct boot *const hvt_boot; // the library keeps the pointer

enum { WALLTIME = 1, PUTS, POLL, BLOCK_WRITE, BLOCK_READ, NET_WRITE, NET_READ, HALT };

struct walltime { uint64_t nsecs; };
struct puts { uint64_t data, len; };
struct poll { uint64_t timeout, ready; int32_t ret; };
struct block { uint64_t handle, offset, data, len; int32_t ret; };
struct net { uint64_t handle, data, len; int32_t ret; };
struct halt { uint64_t cookie; int32_t status; };

// A hypercall with any number and any address.
static inline void hypercall(unsigned number, uint32_t gpa)
{
#if defined(__x86_64__)
    __asm__ volatile("outl %0, %1" ::"a"(gpa), "d"((uint16_t)(0x500 + number)) : "memory");
#else
    __asm__ volatile("str %w0, [%1]" ::"r"(gpa), "r"(0x100000000ul + 8 * number) : "memory");
#endif
}

#define CALL(number, record) hypercall(number, (uint32_t)(uintptr_t)(record))

// Each test says which line failed and exits with 1.
#define CHECK(x)                                             \
    do {                                                     \
        if (!(x)) {                                          \
            printf("line %d: not so: %s\n", __LINE__, #x);   \
            solo5_exit(1);                                   \
        }                                                    \
    } while (0)

static inline int is(const char *a, const char *b) { return strcmp(a, b) == 0; }
