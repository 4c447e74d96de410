/*
 * host.c: Solo5's interface over Linux system calls, for tests that run a
 * guest's program as a process: console on 1, one packet device "link" on the
 * socket 3, one block device "image" of 512-octet sectors on 4. It stands in
 * for start.c, solo5.c and the traps; the rest of the library is the guest's.
 */
#include <string.h>

#include "hvt.h"

enum { LINK = 1, IMAGE = 2 };

#if defined(__x86_64__)

enum { READ = 0, WRITE = 1, LSEEK = 8, PREAD = 17, EXIT = 60, CLOCK = 228, RECV = 45 };

static long syscall(long n, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;

    __asm__ volatile("syscall"
                     : "+a"(n)
                     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return n;
}

__asm__(".globl _start\n_start: movq %rsp, %rdi\n andq $-16, %rsp\n call run\n");

#else

enum { READ = 63, WRITE = 64, LSEEK = 62, PREAD = 67, EXIT = 93, CLOCK = 113, RECV = 207 };

static long syscall(long n, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b,
                  x2 __asm__("x2") = c, x3 __asm__("x3") = d, x4 __asm__("x4") = e,
                  x5 __asm__("x5") = f;

    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}

__asm__(".globl _start\n_start: mov x0, sp\n b run\n");

#endif

static uint8_t heap[4 << 20] __attribute__((aligned(4096)));

/* stack: argc, argv[0], argv[1] or NULL: the command line. */
__attribute__((used, noreturn)) static void run(long *stack)
{
    struct solo5_start_info info = {
        .cmdline = stack[0] > 1 ? (const char *)stack[2] : "",
        .heap_start = (uintptr_t)heap,
        .heap_size = sizeof heap};

    hvt_heap_init(info.heap_start, info.heap_size);
    solo5_exit(solo5_app_main(&info));
}

void solo5_exit(int status)
{
    for (;;)
        syscall(EXIT, status, 0, 0, 0, 0, 0);
}

void solo5_abort(void)
{
    solo5_exit(SOLO5_EXIT_ABORT);
}

void solo5_console_write(const char *buf, size_t size)
{
    syscall(WRITE, 1, (long)buf, (long)size, 0, 0, 0);
}

solo5_time_t solo5_clock_monotonic(void)
{
    long time[2];

    syscall(CLOCK, 1, (long)time, 0, 0, 0, 0);
    return (uint64_t)time[0] * 1000000000 + (uint64_t)time[1];
}

void solo5_yield(solo5_time_t deadline, solo5_handle_set_t *ready_set)
{
    (void)deadline;
    if (ready_set)
        *ready_set = 1 << LINK;
}

solo5_result_t solo5_net_acquire(const char *name, solo5_handle_t *handle,
                                 struct solo5_net_info *info)
{
    *handle = LINK;
    info->mtu = 4096;
    return strcmp(name, "link") == 0 ? SOLO5_R_OK : SOLO5_R_EINVAL;
}

/* Refuses every third message with AGAIN, as a tender may. */
solo5_result_t solo5_net_write(solo5_handle_t handle, const uint8_t *buf,
                               size_t size)
{
    static int calls;

    if (handle != LINK)
        return SOLO5_R_EINVAL;
    if (++calls % 3 == 0)
        return SOLO5_R_AGAIN;
    return syscall(WRITE, 3, (long)buf, (long)size, 0, 0, 0) == (long)size
               ? SOLO5_R_OK
               : SOLO5_R_EUNSPEC;
}

solo5_result_t solo5_net_read(solo5_handle_t handle, uint8_t *buf, size_t size,
                              size_t *read_size)
{
    long n = syscall(RECV, 3, (long)buf, (long)size, 0x40 /* do not wait */, 0, 0);

    if (handle != LINK)
        return SOLO5_R_EINVAL;
    if (n < 0)
        return SOLO5_R_AGAIN;
    *read_size = (size_t)n;
    return SOLO5_R_OK;
}

solo5_result_t solo5_block_acquire(const char *name, solo5_handle_t *handle,
                                   struct solo5_block_info *info)
{
    *handle = IMAGE;
    info->capacity = (uint64_t)syscall(LSEEK, 4, 0, 2, 0, 0, 0);
    info->block_size = 512;
    return strcmp(name, "image") == 0 ? SOLO5_R_OK : SOLO5_R_EINVAL;
}

solo5_result_t solo5_block_read(solo5_handle_t handle, solo5_off_t offset,
                                uint8_t *buf, size_t size)
{
    if (handle != IMAGE || size != 512 || offset % 512)
        return SOLO5_R_EINVAL;
    return syscall(PREAD, 4, (long)buf, (long)size, (long)offset, 0, 0) ==
                   (long)size
               ? SOLO5_R_OK
               : SOLO5_R_EUNSPEC;
}
