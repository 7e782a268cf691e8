#include "felt_pace.h"

static uint32_t u32(const uint8_t *bytes) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

int felt_pace_init(felt_pace *pace, const uint8_t row[28], uint64_t start_us) {
  const uint32_t top = u32(row + 4), bottom = u32(row + 8);
  if (!top || !bottom) return FELT_E_VALUE;
  const uint64_t period = (uint64_t)bottom * 1000000u; /* below 2^52: no overflow */
  if (period < top) return FELT_E_VALUE;               /* more than a sample a microsecond */
  pace->due_us = start_us;
  pace->whole_us = period / top;
  pace->rest = (uint32_t)(period % top);
  pace->top = top;
  pace->carry = 0;
  return 0;
}

unsigned felt_pace_first(const felt_pace *paces, unsigned count) {
  unsigned first = 0;
  for (unsigned i = 1; i < count; i++)
    if (paces[i].due_us < paces[first].due_us) first = i;
  return first;
}

void felt_pace_step(felt_pace *pace) {
  pace->due_us += pace->whole_us;
  /* carry + rest may leave 32 bits: ask how much is left instead. */
  if (pace->carry >= pace->top - pace->rest) {
    pace->carry -= pace->top - pace->rest;
    pace->due_us++;
  } else {
    pace->carry += pace->rest;
  }
}

uint32_t felt_pace_skip(felt_pace *pace, uint64_t now_us) {
  uint32_t missed = 0;
  while (pace->due_us + pace->whole_us <= now_us) {
    felt_pace_step(pace);
    missed++;
  }
  return missed;
}
