/* Measures Debian's libfec for test/coding, in CPU seconds: Reed-Solomon decoding of CCSDS
 * (255,223) codewords with 0, 8 and 16 errors, and Viterbi decoding of the (7,1/2) code. Each
 * line of output is a name and Mbit/s of information.
 */
#include <fec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double cpu(void) { return (double)clock() / CLOCKS_PER_SEC; }

static void reed_solomon(int errors, double seconds)
{
	unsigned char good[255], word[255];
	long n = 0;
	double begin;

	for (int i = 0; i < 223; i++)
		good[i] = rand();
	encode_rs_ccsds(good, good + 223, 0);
	for (begin = cpu(); cpu() - begin < seconds;) {
		for (int k = 0; k < 200; k++, n++) {
			memcpy(word, good, 255);
			for (int i = 0; i < errors; i++)
				word[(i * 15 + k) % 255] ^= 1 + i;
			if (decode_rs_ccsds(word, NULL, 0, 0) != errors)
				exit(1);
		}
	}
	printf("rs%d %f\n", errors, n * 1784 / (cpu() - begin) / 1e6);
}

static void viterbi(double seconds)
{
	enum { bits = 8920 };
	static unsigned char symbols[2 * (bits + 6)], data[bits / 8 + 1];
	void *v = create_viterbi27(bits);
	long n = 0;
	double begin;

	if (!v)
		exit(1);
	for (size_t i = 0; i < sizeof symbols; i++)
		symbols[i] = 128 + rand() % 160 - 80;
	for (begin = cpu(); cpu() - begin < seconds; n++) {
		init_viterbi27(v, 0);
		update_viterbi27_blk(v, symbols, bits + 6);
		chainback_viterbi27(v, data, bits, 0);
	}
	printf("viterbi %f\n", n * (double)bits / (cpu() - begin) / 1e6);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 1;

	reed_solomon(0, seconds);
	reed_solomon(8, seconds);
	reed_solomon(16, seconds);
	viterbi(seconds);
	return 0;
}
