/* Start of a program on QEMU's MPS2 board (Cortex-M4), with output by semihosting. */
#include <stdint.h>
#include <stdlib.h>

extern uint32_t stack_top, data_start, data_end, data_load, bss_start, bss_end;
int main(void);
void initialise_monitor_handles(void);
void reset(void);
void _init(void);
void _fini(void);

void _init(void) {}
void _fini(void) {}

void reset(void) {
  const uint32_t *from = &data_load;
  for (uint32_t *to = &data_start; to < &data_end;) *to++ = *from++;
  for (uint32_t *to = &bss_start; to < &bss_end;) *to++ = 0;
  initialise_monitor_handles();
  exit(main());
}

static void fault(void) { abort(); }

__attribute__((section(".vectors"), used)) static const void *const vectors[] = {
    &stack_top, (const void *)reset, (const void *)fault, (const void *)fault,
    (const void *)fault, (const void *)fault, (const void *)fault};
