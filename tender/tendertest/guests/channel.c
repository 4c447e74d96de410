// Talks on a channel called "notes".
#include "guest.h"
MANIFEST(1, {.name = "notes", .type = CHANNEL, .u.block.capacity = 4096});

static uint8_t buf[8192];

static int write(uint64_t at, uint64_t len)
{
    volatile struct net x = {1, at, len, -1};
    call(NETWRITE, &x);
    return x.ret;
}

static int read(uint64_t size, uint64_t *len)
{
    volatile struct net x = {1, (uintptr_t)buf, size, -1};
    call(NETREAD, &x);
    *len = x.len;
    return x.ret;
}

#define BUF ((uintptr_t)buf)

int run(const struct boot_info *bi, const char *arg)
{
    uint64_t n;
    (void)bi;
    if (is(arg, "first")) { // sends 1 to 4096 octets, and each comes back
        for (uint64_t size = 1; size <= 4096; size *= 8) {
            for (uint64_t i = 0; i < size; i++)
                buf[i] = (uint8_t)(i + size);
            if (write(BUF, size) || polled(60000000000ull) != 21 || read(sizeof buf, &n) || n != size)
                return 2;
            for (uint64_t i = 0; i < size; i++)
                if (buf[i] != (uint8_t)(i + size + 1))
                    return 3;
        }
        return 0;
    }
    if (is(arg, "second")) // adds one to each octet until the other has sent 4096
        for (;;) {
            if (polled(60000000000ull) != 21 || read(sizeof buf, &n))
                return 4;
            for (uint64_t i = 0; i < n; i++)
                buf[i]++;
            if (write(BUF, n))
                return 5;
            if (n == 4096)
                return 0;
        }
    if (is(arg, "limits")) { // empty, too long, wrong ends of memory and of a handle
        volatile struct net x = {2, BUF, 1, -1};
        say_number(write(BUF, 0)), say_number(write(BUF, 4097)), say_number(write(BUF, sizeof buf));
        call(NETWRITE, &x), say_number(x.ret);
        x.handle = ~0ull, call(NETREAD, &x), say_number(x.ret);
        say_number(read(0, &n)), say_number(read(sizeof buf, &n));
        return 0;
    }
    if (is(arg, "full")) { // nobody reads: AGAIN, and no wait
        int r, sent = 0;
        while ((r = write(BUF, 4096)) == 0)
            sent++;
        say_number(r);
        return sent > 0 && sent < 10000 ? 0 : 6;
    }
    if (is(arg, "gone")) { // the other end is closed: AGAIN, and POLL is quiet
        say_number(write(BUF, 1)), say_number(read(sizeof buf, &n)), say_number(write(BUF, 1));
        uint64_t before = now();
        say_number(polled(50000000));
        return now() - before >= 50000000 ? 0 : 7;
    }
    if (is(arg, "outside"))
        write(0x7fffffff, 4096);
    if (is(arg, "wrap"))
        write(~0ull - 10, 4096);
    return 9;
}
