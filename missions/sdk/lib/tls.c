/*
 * tls.c: thread-local storage, local-exec model.
 *
 *   x86_64   [ .tdata .tbss ][ self ]      thread pointer at self
 *   aarch64  [ 16 octets ][ .tdata .tbss ] thread pointer at the start
 */
#include "solo5.h"

#include <string.h>

#include "hvt.h"

#define TLS_ALIGN 64UL

extern const char __tdata_start[], __tdata_end[], __tls_end[];

static size_t block_size(void)
{
    return ((size_t)(__tls_end - __tdata_start) + TLS_ALIGN - 1) & ~(TLS_ALIGN - 1);
}

#if defined(__x86_64__)

#define TCB 8UL

static uintptr_t variables(uintptr_t tls)
{
    return tls;
}

uintptr_t solo5_tls_tp_offset(uintptr_t tls)
{
    return tls + block_size();
}

/* FS base, a model specific register. */
static void set_base(uintptr_t base)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(0xc0000100), "a"((uint32_t)base),
                       "d"((uint32_t)(base >> 32)));
}

#else

#define TCB TLS_ALIGN /* 16 octets, then up to the alignment of the data */

static uintptr_t variables(uintptr_t tls)
{
    return tls + TCB;
}

uintptr_t solo5_tls_tp_offset(uintptr_t tls)
{
    return tls;
}

static void set_base(uintptr_t base)
{
    __asm__ volatile("msr tpidr_el0, %0" : : "r"(base));
}

#endif

size_t solo5_tls_size(void)
{
    return block_size() + TCB;
}

solo5_result_t solo5_tls_init(uintptr_t tls)
{
    size_t data = (size_t)(__tdata_end - __tdata_start);
    uintptr_t tp = solo5_tls_tp_offset(tls);

    if (tls & (TLS_ALIGN - 1))
        return SOLO5_R_EINVAL;
    memcpy((void *)variables(tls), __tdata_start, data);
    memset((char *)variables(tls) + data, 0,
           (size_t)(__tls_end - __tdata_end));
    memcpy((void *)tp, &tp, sizeof tp);
    return SOLO5_R_OK;
}

solo5_result_t solo5_set_tls_base(uintptr_t base)
{
    set_base(base);
    return SOLO5_R_OK;
}
