/*
 * perilune_vcpu.h: more than one processor.
 *
 * `[guest] vcpus = N` in mission.toml gives a program N virtual processors, at
 * most 8. Number 0 runs solo5_app_main(); the others wait to be started. All
 * see the same memory; what they share is theirs to order (see the atomics
 * below). Nothing interrupts a vCPU: one that waits parks, and another wakes it.
 *
 * vCPU 0 owns what has one owner: solo5_yield(), networks and block devices,
 * malloc() and free(). On another vCPU their calls give EINVAL, and the heap
 * must not be used. Clocks, the console and every way to end the program serve
 * all of them; the first end is the program's.
 */
#ifndef PERILUNE_VCPU_H
#define PERILUNE_VCPU_H

#include "solo5.h"

/* How many vCPUs the program has, 1 or more. */
uint32_t perilune_vcpu_count(void);

/* The number of the vCPU that asks, 0 to count - 1. */
uint32_t perilune_vcpu_self(void);

/*
 * What a vCPU begins with. The memory is the caller's and lasts as long as
 * the program; two vCPUs share neither stack nor thread-local storage.
 */
struct perilune_vcpu {
    void (*entry)(void *argument); /* when it returns, the vCPU parks for good */
    void *argument;
    void *stack;       /* its lowest octet */
    size_t stack_size; /* octets, at least PERILUNE_VCPU_STACK_MIN */
    void *tls;         /* solo5_tls_size() octets on a multiple of 64, or NULL
                          for a vCPU that touches no thread-local variable */
};
#define PERILUNE_VCPU_STACK_MIN 1024

/*
 * Starts vCPU cpu, once. EINVAL: there is none of this number, or stack, entry
 * or tls cannot be. AGAIN: it runs already.
 */
solo5_result_t perilune_vcpu_start(uint32_t cpu,
                                   const struct perilune_vcpu *how);

/*
 * Sleeps until another vCPU wakes this one, for at most timeout nanoseconds
 * (UINT64_MAX: as long as it takes). A wake that came since the last park ends
 * it at once; several are one. OK: woken; AGAIN: the time is over.
 */
solo5_result_t perilune_vcpu_park(solo5_time_t timeout);

/* Wakes vCPU cpu, or lets its next park return. EINVAL: there is none. */
solo5_result_t perilune_vcpu_wake(uint32_t cpu);

/* A breath between two looks at a word that another vCPU will change soon. */
static inline void perilune_vcpu_relax(void)
{
#if defined(__x86_64__)
    __asm__ volatile("pause" ::: "memory");
#else
    __asm__ volatile("yield" ::: "memory");
#endif
}

/*
 * Atomic words, sequentially consistent: every vCPU sees all of these happen
 * in the same order. add and exchange give the value before; swap_if writes to
 * only where *word is from and says whether it did.
 */
static inline uint32_t perilune_atomic_load(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline void perilune_atomic_store(uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

static inline uint32_t perilune_atomic_add(uint32_t *word, uint32_t value)
{
    return __atomic_fetch_add(word, value, __ATOMIC_SEQ_CST);
}

static inline uint32_t perilune_atomic_exchange(uint32_t *word, uint32_t value)
{
    return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}

static inline bool perilune_atomic_swap_if(uint32_t *word, uint32_t from,
                                           uint32_t to)
{
    return __atomic_compare_exchange_n(word, &from, to, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

#endif
