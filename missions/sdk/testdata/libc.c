/* libc.c: prints what the library's functions give; libc.txt has what C11 says. */
#include <limits.h>
#include <perilune.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void formats(void)
{
    char small[6];
    int n;

    printf("[%d] [%5d] [%-5d] [%05d] [%+d] [% d]\n", 42, 42, 42, 42, 42, 42);
    printf("[%d] [%5d] [%05d] [%.3d] [%8.3d]\n", -42, -42, -42, -4, -4);
    printf("[%i] [%ld] [%lld]\n", INT_MIN, LONG_MIN, LLONG_MAX);
    printf("[%u] [%lu] [%zu]\n", UINT_MAX, ULONG_MAX, (size_t)7);
    printf("[%x] [%X] [%#x] [%#010x] [%#X] [%#x]\n", 48879, 48879, 48879, 48879, 48879, 0);
    printf("[%o] [%#o] [%#o]\n", 64, 64, 0);
    printf("[%hhu] [%hd] [%hhd]\n", (unsigned char)200, (short)-3, (signed char)-128);
    printf("[%.0d] [%5.0d] [%.0x]\n", 0, 0, 0);
    printf("[%c] [%3c] [%-3c]\n", 'a', 'b', 'c');
    printf("[%s] [%6s] [%-6s] [%.2s] [%*s] [%.*s]\n", "moon", "moon", "moon", "moon", 6, "moon", 3, "moon");
    printf("[%p] [%%]\n", (void *)0x1234);
    n = snprintf(small, sizeof small, "%s", "perilune");
    printf("[%s] %d\n", small, n);
    n = snprintf(NULL, 0, "%d", 12345);
    printf("%d\n", n);
}

static void strings(void)
{
    char b[32] = "abcdefghij";

    memmove(b + 2, b, 8);
    puts(b);
    memmove(b, b + 2, 8);
    puts(b);
    printf("%d %d %d %d\n", memcmp("ab", "ac", 2) < 0, strcmp("b", "ab") > 0,
           strcmp("x", "x"), strncmp("abc", "abd", 2));
    printf("%d\n", strcmp("\xff", "a") > 0); /* octets are unsigned */
    printf("%s %s %s\n", strchr("station", 't'), strrchr("station", 't'), strstr("station", "ti"));
    printf("%d %d %d\n", strchr("a", 'b') == NULL, strstr("aab", "ab") != NULL, strstr("a", "ab") == NULL);
    printf("%s\n", strcat(strcpy(b, "peri"), "lune"));
    memset(b, 'x', 31);
    strncpy(b, "end", 5);
    printf("%s %d %d\n", b, b[4], b[5]);
    printf("%zu %zu\n", strlen("12345678901"), strnlen("12345", 3));
    printf("%d\n", (char *)memchr("abc", 'c', 3) != NULL && memchr("abc", 'c', 2) == NULL);
}

static void numbers(void)
{
    char *end;

    printf("%lu", strtoul(" 42x", &end, 10));
    printf(" %s\n", end);
    printf("%lu %lu %lu\n", strtoul("0x1f", NULL, 0), strtoul("017", NULL, 0), strtoul("1F", NULL, 16));
    printf("%d %d\n", strtoul("99999999999999999999", NULL, 10) == ULONG_MAX, strtoul("-1", NULL, 10) == ULONG_MAX);
    printf("%lu", strtoul("0xg", &end, 16));
    printf(" %s\n", end);
}

static void memory(void)
{
    char *a = malloc(10), *b = malloc(1), *c;

    printf("%d %d\n", ((uintptr_t)a & 15) == 0 && ((uintptr_t)b & 15) == 0, b - a >= 10);
    strcpy(a, "kept");
    c = realloc(a, 100);
    printf("%s %d\n", c, c != a);
    memset(c, 1, 100);
    free(c);
    c = calloc(10, 10);
    printf("%d %d\n", c[0], memcmp(c, c + 1, 99));
    printf("%d %d\n", malloc((size_t)1 << 40) == NULL, calloc(SIZE_MAX / 2, 3) == NULL);
    printf("%d\n", malloc(SIZE_MAX) == NULL && malloc(SIZE_MAX - 20) == NULL);
}

int solo5_app_main(const struct solo5_start_info *info)
{
    uint8_t big[12];

    printf("%s\n", info->cmdline);
    formats();
    strings();
    numbers();
    memory();
    perilune_put_u32(big, 0x01020304);
    perilune_put_u64(big + 4, 0x05060708090a0b0cUL);
    for (size_t i = 0; i < sizeof big; i++)
        printf("%x", big[i]);
    printf(" %d\n", perilune_get_u64(big + 4) == 0x05060708090a0b0cUL);
    perilune_log("%0300d", 1);
    return 7;
}
