// Floating point and vectors in ring 0, without a library that knows them.
#include "../raw.h"

typedef uint64_t vector __attribute__((vector_size(16)));

// e by its series: the compiler keeps sum and term in registers, and across the hypercall
// on the stack.
static void numbers(void)
{
    double sum = 1, term = 1;
    for (int i = 1; i < 20; i++) {
        term /= i;
        sum += term;
        solo5_clock_monotonic();
        solo5_clock_wall();
    }
    CHECK(sum > 2.718281828459044 && sum < 2.718281828459046);
    uint64_t digits = (uint64_t)(sum * 1e12);
    printf("%lu.%012lu\n", (unsigned long)(digits / 1000000000000), (unsigned long)(digits % 1000000000000));
    float f = (float)sum;
    CHECK(f * f > 7.389055f && f * f < 7.389057f && (int)f == 2);
    volatile double zero = 0;
    CHECK(1 / zero > 1e308 && !(zero / zero == zero / zero)); // exceptions are masked
}

// Sixteen octets at a time, aligned and not.
static void copies(void)
{
    static vector from[64], to[64];
    char *odd = (char *)to + 3;
    for (int i = 0; i < 64; i++)
        from[i] = (vector){i, ~(uint64_t)i};
    for (int i = 0; i < 64; i++)
        to[i] = from[63 - i];
    CHECK(to[0][0] == 63 && to[63][1] == ~0ul);
    for (int i = 0; i < 63; i++)
        __builtin_memcpy(odd + 16 * i, &from[i], sizeof from[i]);
    for (int i = 0; i < 63; i++)
        CHECK(memcmp(odd + 16 * i, &from[i], sizeof from[i]) == 0);
}

// Every register gets its own value, a hypercall goes by, every register is looked at.
#if defined(__x86_64__)
enum { REGISTERS = 16 };
#define EACH(x) x(0) x(1) x(2) x(3) x(4) x(5) x(6) x(7) x(8) x(9) x(10) x(11) x(12) x(13) x(14) x(15)
#define LOAD(n) "movaps 16*" #n "(%0), %%xmm" #n "\n\t"
#define STORE(n) "movaps %%xmm" #n ", 16*" #n "(%1)\n\t"
#define NAME(n) "xmm" #n,
#define CALL_WALLTIME "outl %%eax, %%dx\n\t"
#define CALL_INPUT "a"((uint32_t)(uintptr_t)&time), "d"(0x500 + WALLTIME)
#else
enum { REGISTERS = 32 };
#define EACH(x) x(0) x(1) x(2) x(3) x(4) x(5) x(6) x(7) x(8) x(9) x(10) x(11) x(12) x(13) x(14) x(15) \
    x(16) x(17) x(18) x(19) x(20) x(21) x(22) x(23) x(24) x(25) x(26) x(27) x(28) x(29) x(30) x(31)
#define LOAD(n) "ldr q" #n ", [%0, #16*" #n "]\n\t"
#define STORE(n) "str q" #n ", [%1, #16*" #n "]\n\t"
#define NAME(n) "v" #n,
#define CALL_WALLTIME "str %w2, [%3]\n\t"
#define CALL_INPUT "r"(&time), "r"(0x100000000ul + 8 * WALLTIME)
#endif

static void registers(void)
{
    static vector before[REGISTERS], after[REGISTERS];
    static struct walltime time;
    for (int i = 0; i < REGISTERS; i++)
        before[i] = (vector){0x0123456789abcdef * (i + 1), 0xfedcba9876543210 + i};
    __asm__ volatile(EACH(LOAD) CALL_WALLTIME EACH(STORE) : : "r"(before), "r"(after), CALL_INPUT
                     : EACH(NAME) "memory");
    CHECK(time.nsecs != 0);
    CHECK(memcmp(before, after, sizeof before) == 0);
}

__thread double ratio = 1.5;
__thread vector pair;

__attribute__((noinline)) static void use(uint64_t i)
{
    CHECK(ratio == 1.5 && pair[0] == 0);
    ratio *= 2, pair = (vector){i, i + 1};
}

__attribute__((noinline)) static void again(uint64_t i) { CHECK(ratio == 3 && pair[0] == i && pair[1] == i + 1); }

static void local(void)
{
    static char block[2][512] __attribute__((aligned(64)));
    for (int i = 0; i < 2; i++) {
        CHECK(solo5_tls_size() <= sizeof block[i] && solo5_tls_init((uintptr_t)block[i]) == SOLO5_R_OK);
        solo5_set_tls_base(solo5_tls_tp_offset((uintptr_t)block[i]));
        use(i);
    }
    for (int i = 0; i < 2; i++) {
        solo5_set_tls_base(solo5_tls_tp_offset((uintptr_t)block[i]));
        again(i);
    }
}

int solo5_app_main(const struct solo5_start_info *si)
{
    static const struct { const char *name; void (*run)(void); } tests[] = {
        {"numbers", numbers}, {"copies", copies}, {"registers", registers}, {"local", local}};
    for (unsigned i = 0; i < sizeof tests / sizeof *tests; i++)
        if (is(si->cmdline, tests[i].name)) {
            tests[i].run();
            return 0;
        }
    return 1;
}
