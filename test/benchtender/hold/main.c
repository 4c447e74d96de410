// Touches 1 MiB, says so, and sends back every datagram.
#include "guest.h"
MANIFEST(1, {.name = "radio", .type = 2});

static uint8_t datagram[64], touched[1 << 20];

int run(const struct boot_info *bi, const char *arg)
{
    volatile struct poll poll = {~0ull, 0, 0};
    volatile struct net net = {1, (uintptr_t)datagram, sizeof datagram, 0};
    (void)bi, (void)arg;
    for (unsigned i = 0; i < sizeof touched; i += 4096)
        ((volatile uint8_t *)touched)[i] = 1;
    say("x");
    for (;;) {
        call(POLL, &poll);
        net.len = sizeof datagram;
        call(NETREAD, &net);
        if (net.ret == 0)
            call(NETWRITE, &net);
    }
}
