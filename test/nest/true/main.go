// Command true does nothing, with success: the nest has no other one.
package main

func main() {}
