/* Logs every write, truncation, sync and removal below $FELT_LOG_DIR to $FELT_LOG, in order: what a disk would see.
   Loaded before the C library (LD_PRELOAD); the calls themselves go through. A record is: operation, length of the path,
   offset, length of the data (8 bytes each), path, data. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;

static void note(int64_t op, const char *path, int64_t offset, const void *data, int64_t size)
{
    const char *folder = getenv("FELT_LOG_DIR"), *target = getenv("FELT_LOG");
    static ssize_t (*real_write)(int, const void *, size_t);
    if (!folder || !target || strncmp(path, folder, strlen(folder)) != 0) return;
    pthread_mutex_lock(&lock);
    if (!real_write) real_write = dlsym(RTLD_NEXT, "write");
    if (log_fd < 0) log_fd = open(target, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int64_t head[4] = {op, (int64_t)strlen(path), offset, size};
    if (real_write(log_fd, head, sizeof head) < 0 || real_write(log_fd, path, strlen(path)) < 0) abort();
    if (size && data && real_write(log_fd, data, (size_t)size) != size) abort();
    pthread_mutex_unlock(&lock);
}

static int named(int fd, char *out)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, out, PATH_MAX - 1);
    if (n < 0) return 0;
    out[n] = 0;
    return 1;
}

#define REAL(type, name, ...) static type (*real)(__VA_ARGS__); if (!real) real = dlsym(RTLD_NEXT, name)

static ssize_t logged(ssize_t n, int fd, const void *data, int64_t offset)
{
    char path[PATH_MAX];
    if (n > 0 && fd != log_fd && named(fd, path)) note('W', path, offset, data, n);
    return n;
}

ssize_t pwrite64(int fd, const void *d, size_t n, off64_t at)
{
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    return logged(real(fd, d, n, at), fd, d, at);
}

ssize_t pwrite(int fd, const void *d, size_t n, off_t at)
{
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    return logged(real(fd, d, n, at), fd, d, at);
}

ssize_t write(int fd, const void *d, size_t n)
{
    REAL(ssize_t, "write", int, const void *, size_t);
    return logged(real(fd, d, n), fd, d, -1);
}

static int done(int r, int fd, int64_t op, int64_t size)
{
    char path[PATH_MAX];
    if (r == 0 && named(fd, path)) note(op, path, size, 0, 0);
    return r;
}

int ftruncate64(int fd, off64_t size) { REAL(int, "ftruncate64", int, off64_t); return done(real(fd, size), fd, 'T', size); }
int ftruncate(int fd, off_t size) { REAL(int, "ftruncate", int, off_t); return done(real(fd, size), fd, 'T', size); }
int fsync(int fd) { REAL(int, "fsync", int); return done(real(fd), fd, 'S', 0); }
int fdatasync(int fd) { REAL(int, "fdatasync", int); return done(real(fd), fd, 'S', 0); }

int unlink(const char *path)
{
    REAL(int, "unlink", const char *);
    int r = real(path);
    if (r == 0) note('U', path, 0, 0, 0);
    return r;
}
