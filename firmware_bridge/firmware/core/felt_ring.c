#include "felt_ring.h"

int felt_ring_init(felt_ring *ring, felt_slot *slots, uint16_t size) {
  if (!slots || !size || size > 32768u || (size & (size - 1u))) return FELT_E_VALUE;
  ring->slots = slots;
  ring->size = size;
  ring->kept = 0;
  ring->next = 0;
  return 0;
}

felt_slot *felt_ring_place(felt_ring *ring) {
  return &ring->slots[ring->next & (ring->size - 1u)];
}

void felt_ring_commit(felt_ring *ring) {
  ring->next++;
  if (ring->kept < ring->size) ring->kept++;
}

const felt_slot *felt_ring_get(const felt_ring *ring, uint16_t sequence) {
  const uint16_t age = (uint16_t)(ring->next - sequence);
  return age && age <= ring->kept ? &ring->slots[sequence & (ring->size - 1u)] : NULL;
}

void felt_ring_clip(const felt_ring *ring, uint16_t *first, uint16_t *count) {
  uint16_t age = (uint16_t)(ring->next - *first); /* of the range's first; the newest frame's is 1 */
  if (age > ring->kept) {
    const uint16_t gone = (uint16_t)(age - ring->kept);
    *first = (uint16_t)(*first + gone);
    *count = (uint16_t)(*count > gone ? *count - gone : 0);
    age = ring->kept;
  }
  if (*count > age) *count = age;
}
