// Talks on a packet device called "radio".
#include "guest.h"
MANIFEST(1, {.name = "radio", .type = 2});

static uint8_t buf[8192];

static int write(uint64_t len)
{
    volatile struct net x = {1, (uintptr_t)buf, len, -1};
    call(NETWRITE, &x);
    return x.ret;
}

static int read(uint64_t *len)
{
    volatile struct net x = {1, (uintptr_t)buf, sizeof buf, -1};
    call(NETREAD, &x);
    *len = x.len;
    return x.ret;
}

int run(const struct boot_info *bi, const char *arg)
{
    const struct mft *m = (const void *)bi->mft;
    uint64_t n;
    if (is(arg, "echo")) { // each telecommand comes back as telemetry
        say_number(m->e[1].u.net.mtu), say("\n");
        for (int i = 0; i < 3; i++) {
            if (polled(60000000000ull) != 21 || read(&n) || buf[0] != 0x81)
                return 2;
            buf[0] = 0x01;
            if (write(n))
                return 3;
        }
        return read(&n) == 1 ? 0 : 4; // nothing more: AGAIN
    }
    if (is(arg, "timeout")) {
        uint64_t before = now();
        if (polled(50000000) != 0)
            return 2;
        uint64_t took = now() - before;
        if (polled(0) != 0)
            return 3;
        return took >= 50000000 ? 0 : 4;
    }
    if (is(arg, "limits")) { // too long, empty, at the limit
        say_number(write(4097)), say_number(write(0)), say_number(write(4096));
        return 0;
    }
    if (is(arg, "full")) // until the socket is full, and then it waits
        for (;;)
            write(4096);
    if (is(arg, "late")) { // says more once a datagram comes
        say("early\n"), polled(~0ull), say("late\n");
        return 0;
    }
    if (is(arg, "wait"))
        polled(~0ull);
    return 9;
}
