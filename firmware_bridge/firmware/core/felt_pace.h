/* When each stream's next sample is due. Rates are fractions and times integers, so that nothing drifts: sample k of a
 * stream of rate n/d is due k*d/n seconds after the first, to the microsecond, for ever. */
#ifndef FELT_PACE_H
#define FELT_PACE_H

#include "felt_frame.h"

typedef struct {
  uint64_t due_us;
  uint64_t whole_us;          /* of a period */
  uint32_t rest, top, carry;  /* ... and rest/top of a microsecond, of which carry/top are owed */
} felt_pace;

/* By a row of INFO; the first sample is due at `start_us`. 0, or FELT_E_VALUE if the rate is no rate. */
int felt_pace_init(felt_pace *pace, const uint8_t row[28], uint64_t start_us);

/* The stream, of `count`, whose sample is due first; of several at one moment the first. */
unsigned felt_pace_first(const felt_pace *paces, unsigned count);

/* Its sample has been taken: on to the next. */
void felt_pace_step(felt_pace *pace);

/* Samples that were missed by `now_us`, and passed over: call felt_gap if there were any. */
uint32_t felt_pace_skip(felt_pace *pace, uint64_t now_us);

#endif
