// Package main does nothing: what is wanted of the modules is their manifests.
package main

func main() {}
