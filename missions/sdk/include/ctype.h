/* ctype.h: kinds of characters, C11 7.4 in the "C" locale. */
#ifndef PERILUNE_CTYPE_H
#define PERILUNE_CTYPE_H

/* Whether c, an unsigned char or -1, is of a kind: not 0 if it is. Octets from
 * 128 on are of none. */
int isalnum(int c);
int isalpha(int c);
int isblank(int c);
int iscntrl(int c);
int isdigit(int c);
int isgraph(int c);
int islower(int c);
int isprint(int c);
int ispunct(int c);
int isspace(int c);
int isupper(int c);
int isxdigit(int c);

/* The other case of a letter; what is none stays as it is. */
int tolower(int c);
int toupper(int c);

#endif
