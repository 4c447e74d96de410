/* vcpu.c: what perilune_vcpu.h promises. */
#include <perilune.h>
#include <perilune_vcpu.h>

static __thread int counter = 5;
static uint8_t stack[4096] __attribute__((aligned(16)));
static uint8_t tls[4096] __attribute__((aligned(64)));
static uint32_t told, woke;
static int seen, before, after;

static void second(void *argument)
{
    seen = *(int *)argument;
    before = counter++;
    after = counter;
    perilune_atomic_store(&told, perilune_vcpu_self());
    perilune_vcpu_wake(0);
    perilune_atomic_store(&woke, 1);
}

static void nothing(void *argument)
{
    (void)argument;
}

static solo5_result_t start(uint32_t cpu, struct perilune_vcpu how)
{
    return perilune_vcpu_start(cpu, &how);
}

int solo5_app_main(const struct solo5_start_info *info)
{
    int value = 42;
    struct perilune_vcpu good = {second, &value, stack, sizeof stack, tls};

    (void)info;
    perilune_log("count %u, self %u", perilune_vcpu_count(), perilune_vcpu_self());
    if (perilune_vcpu_count() == 1) {
        perilune_log("alone %d %d %d", perilune_vcpu_park(1), perilune_vcpu_wake(0), start(0, good));
        return SOLO5_EXIT_SUCCESS;
    }
    perilune_log("refused %d %d %d %d %d, zero %d", start(3, good),
                 start(1, (struct perilune_vcpu){NULL, &value, stack, sizeof stack, NULL}),
                 start(1, (struct perilune_vcpu){nothing, NULL, NULL, sizeof stack, NULL}),
                 start(1, (struct perilune_vcpu){nothing, NULL, stack, 64, NULL}),
                 start(1, (struct perilune_vcpu){nothing, NULL, stack, sizeof stack, tls + 1}), start(0, good));
    perilune_log("started %d, again %d", start(1, good), start(1, good));
    while (!perilune_atomic_load(&told))
        perilune_vcpu_park(UINT64_MAX);
    while (!perilune_atomic_load(&woke))
        ;
    perilune_vcpu_park(0); /* that wake is left over if vCPU 0 had not parked yet */
    perilune_log("vCPU %u has %d, own %d %d", told, seen, before, after);
    perilune_vcpu_wake(0);
    perilune_log("returned, woken %d, over %d", perilune_vcpu_park(UINT64_MAX), perilune_vcpu_park(1000000));
    return SOLO5_EXIT_SUCCESS;
}
