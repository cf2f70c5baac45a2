/* A thread that has accepted a connection is held up for a tenth of a second. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>
#include <time.h>

static int hold_up(int connection) {
  int error = errno;
  struct timespec left = {0, 100 * 1000 * 1000};
  while (connection >= 0 && nanosleep(&left, &left) != 0)
    ;
  errno = error;
  return connection;
}

int accept(int listener, struct sockaddr *address, socklen_t *length) {
  int (*at_once)(int, struct sockaddr *, socklen_t *) = dlsym(RTLD_NEXT, "accept");
  return hold_up(at_once(listener, address, length));
}

int accept4(int listener, struct sockaddr *address, socklen_t *length, int flags) {
  int (*at_once)(int, struct sockaddr *, socklen_t *, int) = dlsym(RTLD_NEXT, "accept4");
  return hold_up(at_once(listener, address, length, flags));
}
