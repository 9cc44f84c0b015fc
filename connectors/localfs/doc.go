// Package localfs shows files as objects of a bucket, with the same columns as Cloud Storage: folders and models of a
// laptop work where a bucket would, with no cloud and no network. Start with the zero FS.
//
// An object's name is a path, written with slashes: /data/posters/a.jpg for file:///data/posters/a.jpg, or
// posters/a.jpg, relative to the working directory. Nothing in it is percent-decoded. Links to files are followed, links
// to folders are not: they could lead in circles. Only regular files are objects.
package localfs
