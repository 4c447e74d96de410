/* compare_strings.c: octets and text by chance, in places of any alignment. */
#define _POSIX_C_SOURCE 200809L
#include "compare.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

void *ours_memcpy(void *to, const void *from, size_t n);
void *ours_memmove(void *to, const void *from, size_t n);
void *ours_memset(void *to, int value, size_t n);
int ours_memcmp(const void *a, const void *b, size_t n);
void *ours_memchr(const void *in, int value, size_t n);
size_t ours_strlen(const char *s);
size_t ours_strnlen(const char *s, size_t max);
int ours_strcmp(const char *a, const char *b);
int ours_strncmp(const char *a, const char *b, size_t n);
char *ours_strcpy(char *to, const char *from);
char *ours_strncpy(char *to, const char *from, size_t n);
char *ours_strcat(char *to, const char *from);
char *ours_strncat(char *to, const char *from, size_t n);
char *ours_strchr(const char *s, int c);
char *ours_strrchr(const char *s, int c);
char *ours_strstr(const char *s, const char *what);
size_t ours_strspn(const char *s, const char *set);
size_t ours_strcspn(const char *s, const char *set);
char *ours_strpbrk(const char *s, const char *set);
char *ours_strtok_r(char *s, const char *set, char **rest);

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

/* A text of up to most octets in few letters, so that much of it is alike. */
static void text(char *s, size_t most)
{
    size_t n = below(most + 1);

    for (size_t i = 0; i < n; i++)
        s[i] = "ab\xff"[below(3)];
    s[n] = 0;
}

#define SAME(name, ours, theirs)                                               \
    do {                                                                       \
        if ((ours) != (theirs))                                                \
            differ("%s(\"%s\", \"%s\", %zu)", name, s, what, n);                \
    } while (0)

static void searches(void)
{
    char big[80], small[16];
    char *s = big + below(8), *what = small + below(4);
    size_t n = below(40);
    int c = "ab\xff\0"[below(4)];

    text(s, 60);
    text(what, 4);
    SAME("strlen", ours_strlen(s), strlen(s));
    SAME("strnlen", ours_strnlen(s, n), strnlen(s, n));
    SAME("strcmp", sign(ours_strcmp(s, what)), sign(strcmp(s, what)));
    SAME("strncmp", sign(ours_strncmp(s, what, n % 6)), sign(strncmp(s, what, n % 6)));
    SAME("strchr", ours_strchr(s, c), strchr(s, c));
    SAME("strrchr", ours_strrchr(s, c), strrchr(s, c));
    SAME("strstr", ours_strstr(s, what), strstr(s, what));
    SAME("strspn", ours_strspn(s, what), strspn(s, what));
    SAME("strcspn", ours_strcspn(s, what), strcspn(s, what));
    SAME("strpbrk", ours_strpbrk(s, what), strpbrk(s, what));
    n %= strlen(s) + 1;
    SAME("memchr", ours_memchr(s, c, n), memchr(s, c, n));
    n %= strlen(what) + 1;
    SAME("memcmp", sign(ours_memcmp(s, what, n)), sign(memcmp(s, what, n)));
}

static void words(void)
{
    char s[64], t[64], what[3] = "a", *rest, *left;
    size_t n = 0;

    text(s, 40);
    text(what, 2);
    strcpy(t, s);
    for (char *ours = s, *theirs = t;; n++) {
        ours = ours_strtok_r(n ? NULL : s, what, &rest);
        theirs = strtok_r(n ? NULL : t, what, &left);
        if (!ours || !theirs) {
            SAME("strtok_r", ours != NULL, theirs != NULL);
            break;
        }
        SAME("strtok_r", ours - s, theirs - t);
    }
    SAME("strtok_r", memcmp(s, t, strlen(t) + 1), 0);
}

/* Copies into two pages with the same content, which must be the same after. */
static void copies(void)
{
    char a[256], b[256], from[64];
    size_t to = below(90), at = below(90), n = below(100);
    const char *s = "", *what = "";

    for (size_t i = 0; i < sizeof a; i++)
        a[i] = b[i] = (char)below(256);
    SAME("memmove", ours_memmove(a + to, a + at, n) == a + to, memmove(b + to, b + at, n) == b + to);
    SAME("memset", ours_memset(a + at, (int)n, to) == a + at, memset(b + at, (int)n, to) == b + at);
    for (size_t i = 0; i < sizeof from; i++)
        from[i] = (char)below(256);
    n = below(sizeof from);
    SAME("memcpy", ours_memcpy(a + to, from, n) == a + to, memcpy(b + to, from, n) == b + to);
    text(from, 40);
    n = below(60);
    SAME("strncpy", ours_strncpy(a + to, from, n) == a + to, strncpy(b + to, from, n) == b + to);
    SAME("strcpy", ours_strcpy(a + at, from) == a + at, strcpy(b + at, from) == b + at);
    text(from, 20);
    SAME("strcat", ours_strcat(a + at, from) == a + at, strcat(b + at, from) == b + at);
    SAME("strncat", ours_strncat(a + at, from, n) == a + at, strncat(b + at, from, n) == b + at);
    SAME("what they wrote", memcmp(a, b, sizeof a), 0);
}

#define KINDS(X) X(isalnum) X(isalpha) X(isblank) X(iscntrl) X(isdigit) X(isgraph) X(islower) X(isprint) X(ispunct) \
    X(isspace) X(isupper) X(isxdigit)
#define DECLARE(name) int ours_##name(int c);
KINDS(DECLARE)
int ours_tolower(int c);
int ours_toupper(int c);

static void kinds(void)
{
    for (int c = -1; c < 256; c++) {
#define CHECK(name)                                                            \
    if (!ours_##name(c) != !name(c))                                           \
        differ(#name "(%d) is %d", c, ours_##name(c));
        KINDS(CHECK)
        if (ours_tolower(c) != tolower(c) || ours_toupper(c) != toupper(c))
            differ("tolower, toupper(%d): %d, %d", c, ours_tolower(c), ours_toupper(c));
    }
}

void compare_strings(int rounds)
{
    kinds();
    for (int i = 0; i < rounds; i++) {
        searches();
        words();
        copies();
    }
}
