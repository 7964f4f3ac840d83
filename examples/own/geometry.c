// A library of one's own: a struct by value, a callback, and a function that takes its time.
#include <math.h>
#include <time.h>

typedef struct { double x, y; } Point;

double distance(Point a, Point b) { return hypot(a.x - b.x, a.y - b.y); }

void each_corner(Point size, void (*visit)(Point corner)) {
  visit((Point){0, 0});
  visit((Point){size.x, 0});
  visit(size);
  visit((Point){0, size.y});
}

int slow_square(int n) {
  nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, 0);
  return n * n;
}
