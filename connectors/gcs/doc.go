// Package gcs lists and reads the objects of Google Cloud Storage. Start with New.
//
// Listing asks the server for a prefix and for the fields that are wanted only, and large listings are split over ranges
// of names that are read side by side. Reading is pinned to a generation, so that what was listed is what is read; the
// client checks CRC32C, asks again for what a broken connection left out, and retries by its own policy: callers should
// not retry.
//
// STORAGE_EMULATOR_HOST points it at an emulator, as with every client of Google's.
package gcs
