/* The last frames of one stream, by sequence number: what is sent, and what can be fetched again. */
#ifndef FELT_RING_H
#define FELT_RING_H

#include "felt_frame.h"

typedef struct {
  uint8_t length;
  uint8_t bytes[FELT_FRAME_BYTES];
} felt_slot;

typedef struct {
  felt_slot *slots; /* the caller's */
  uint16_t size;    /* a power of two, so that places go on evenly when the number wraps */
  uint16_t kept;
  uint16_t next;    /* sequence number of the next frame */
} felt_ring;

/* 0, or FELT_E_VALUE if `size` is no power of two from 1 to 32768. */
int felt_ring_init(felt_ring *ring, felt_slot *slots, uint16_t size);

/* Place of the next frame, whose content replaces the oldest; felt_ring_commit makes it count. */
felt_slot *felt_ring_place(felt_ring *ring);
void felt_ring_commit(felt_ring *ring);

/* Frame `sequence`, or NULL if it is not there (any more). */
const felt_slot *felt_ring_get(const felt_ring *ring, uint16_t sequence);

/* Narrows `count` frames from `first` to those that are kept. */
void felt_ring_clip(const felt_ring *ring, uint16_t *first, uint16_t *count);

#endif
