/* vcpu.c: more than one processor, on the hypercalls of extended guests. */
#include <perilune_vcpu.h>

#include "hvt.h"

#define VCPUS_ENTRY 0x3a500002u /* type in the manifest */

#define VCPUS_MAX   8

enum { VCPU_START = 64, VCPU_PARK, VCPU_WAKE };

struct start_record {
    uint32_t cpu;
    uint64_t entry, stack, argument;
    int32_t ret; /* out */
};
struct park_record {
    uint64_t timeout; /* nanoseconds */
    int32_t ret;      /* out */
};
struct wake_record {
    uint32_t cpu;
    int32_t ret; /* out */
};
_Static_assert(sizeof(struct start_record) == 40 &&
                   sizeof(struct park_record) == 16 &&
                   sizeof(struct wake_record) == 8,
               "hypercall records");

/* On top of a new vCPU's stack. */
struct first {
    void (*entry)(void *argument);
    void *argument;
    uintptr_t tls; /* 0: none */
    uint64_t cpu;
};
_Static_assert(sizeof(struct first) % 16 == 0, "the stack stays aligned");

/* A register that nothing else here uses holds the vCPU's number. */
#if defined(__x86_64__)

static void set_self(uint32_t cpu)
{
    __asm__ volatile("wrmsr" : : "c"(0xc0000101 /* GS base */), "a"(cpu), "d"(0));
}

uint32_t perilune_vcpu_self(void)
{
    uint32_t low, high;

    __asm__("rdmsr" : "=a"(low), "=d"(high) : "c"(0xc0000101));
    return low;
}

#else

static void set_self(uint32_t cpu)
{
    __asm__ volatile("msr tpidr_el1, %0" : : "r"((uint64_t)cpu));
}

uint32_t perilune_vcpu_self(void)
{
    uint64_t cpu;

    __asm__("mrs %0, tpidr_el1" : "=r"(cpu));
    return (uint32_t)cpu;
}

#endif

void hvt_vcpu_init(void)
{
    set_self(0);
}

uint32_t perilune_vcpu_count(void)
{
    const struct hvt_manifest *m = hvt_boot->manifest;

    for (uint32_t i = 1; i < m->entries; i++)
        if (m->entry[i].type == VCPUS_ENTRY)
            return (uint32_t)m->entry[i].u.block.capacity;
    return 1;
}

__attribute__((noreturn)) static void begin(struct first *f)
{
    hvt_trap_load();
    set_self((uint32_t)f->cpu);
    if (f->tls)
        solo5_set_tls_base(solo5_tls_tp_offset(f->tls));
    f->entry(f->argument);
    for (;;)
        perilune_vcpu_park(UINT64_MAX);
}

static solo5_result_t start(uint32_t cpu, const struct perilune_vcpu *how)
{
    uintptr_t top = ((uintptr_t)how->stack + how->stack_size) & ~15UL;
    struct first *f = (struct first *)top - 1;

    if (how->tls && solo5_tls_init((uintptr_t)how->tls) != SOLO5_R_OK)
        return SOLO5_R_EINVAL;
    *f = (struct first){how->entry, how->argument, (uintptr_t)how->tls, cpu};

    volatile struct start_record record = {.cpu = cpu,
                                           .entry = (uintptr_t)begin,
                                           .stack = (uintptr_t)f,
                                           .argument = (uintptr_t)f};
    hvt_call((enum hvt_call)VCPU_START, &record);
    return (solo5_result_t)record.ret;
}

/* Which vCPUs run: the stack of one that does is not to be written on. */
static uint32_t begun[VCPUS_MAX] = {1};

solo5_result_t perilune_vcpu_start(uint32_t cpu,
                                   const struct perilune_vcpu *how)
{
    solo5_result_t result;

    if (cpu >= perilune_vcpu_count() || cpu >= VCPUS_MAX || !how->entry || !how->stack ||
        how->stack_size < PERILUNE_VCPU_STACK_MIN)
        return SOLO5_R_EINVAL;
    if (perilune_atomic_exchange(&begun[cpu], 1))
        return SOLO5_R_AGAIN;
    result = start(cpu, how);
    if (result != SOLO5_R_OK)
        perilune_atomic_store(&begun[cpu], 0);
    return result;
}

/* A program with one vCPU may not make the calls below. */

solo5_result_t perilune_vcpu_park(solo5_time_t timeout)
{
    volatile struct park_record record = {.timeout = timeout};

    if (perilune_vcpu_count() == 1)
        return SOLO5_R_EINVAL;
    hvt_call((enum hvt_call)VCPU_PARK, &record);
    return (solo5_result_t)record.ret;
}

solo5_result_t perilune_vcpu_wake(uint32_t cpu)
{
    volatile struct wake_record record = {.cpu = cpu};
    uint32_t count = perilune_vcpu_count();

    if (cpu >= count || count == 1)
        return SOLO5_R_EINVAL;
    hvt_call((enum hvt_call)VCPU_WAKE, &record);
    return (solo5_result_t)record.ret;
}
