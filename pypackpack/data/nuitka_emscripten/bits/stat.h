/* A struct stat for the C of Nuitka, as Emscripten has it in 3.1 and later (st_mode behind the two fields that take the place of
 * older, shorter ones). Nuitka's runtime has two functions that look inside, for programs that it unpacks; no module calls them.
 *
 * Source: https://github.com/emscripten-core/emscripten/blob/main/system/lib/libc/musl/arch/emscripten/bits/stat.h
 */
struct stat {
	dev_t st_dev;
	int pypackpack_dev_padding;
	long pypackpack_short_ino;
	mode_t st_mode;
	nlink_t st_nlink;
	uid_t st_uid;
	gid_t st_gid;
	dev_t st_rdev;
	int pypackpack_rdev_padding;
	off_t st_size;
	blksize_t st_blksize;
	blkcnt_t st_blocks;
	struct timespec st_atim, st_mtim, st_ctim;
	ino_t st_ino;
};
