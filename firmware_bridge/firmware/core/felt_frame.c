#include "felt_frame.h"

#define HEAD 12u
#define CRC 2u
#define VALUE 3u
#define LOW (-8388608)
#define HIGH 8388607

uint16_t felt_crc16(const uint8_t *data, size_t length) {
  uint16_t crc = 0xFFFFu;
  while (length--) {
    crc = (uint16_t)(crc ^ (uint16_t)(*data++ << 8));
    for (int bit = 0; bit < 8; bit++)
      crc = (uint16_t)((crc & 0x8000u) ? (uint16_t)(crc << 1) ^ 0x1021u : (uint16_t)(crc << 1));
  }
  return crc;
}

size_t felt_frame_size(unsigned samples, unsigned channels, unsigned width) {
  return HEAD + (size_t)VALUE * channels + ((size_t)(samples - 1u) * channels * width + 7u) / 8u + CRC;
}

/* Bits of `value` in two's complement. */
static unsigned width_of(int32_t value) {
  uint32_t rest = value < 0 ? ~(uint32_t)value : (uint32_t)value;
  unsigned width = 1;
  for (; rest; rest >>= 1) width++;
  return width;
}

int felt_encode(uint8_t *out, size_t room, uint8_t stream, uint16_t sequence, uint64_t last_us,
                const int32_t *counts, unsigned samples, unsigned channels) {
  if (!samples || samples > 255u || !channels || channels > 255u || stream > 15u || last_us >> 48) return FELT_E_VALUE;
  const size_t values = (size_t)samples * channels;
  unsigned width = 1;
  for (size_t i = 0; i < values; i++) {
    if (counts[i] < LOW || counts[i] > HIGH) return FELT_E_VALUE;
    if (i >= channels) {
      const unsigned needed = width_of(counts[i] - counts[i - channels]);
      if (needed > width) width = needed;
    }
  }
  const size_t length = felt_frame_size(samples, channels, width);
  if (length > room) return FELT_E_ROOM;
  for (size_t i = 0; i < length; i++) out[i] = 0;
  out[0] = (uint8_t)(FELT_VERSION << 4 | stream);
  out[1] = (uint8_t)sequence;
  out[2] = (uint8_t)(sequence >> 8);
  for (unsigned i = 0; i < 6u; i++) out[3 + i] = (uint8_t)(last_us >> (8u * i));
  out[9] = (uint8_t)samples;
  out[10] = (uint8_t)channels;
  out[11] = (uint8_t)width;
  for (unsigned c = 0; c < channels; c++)
    for (unsigned i = 0; i < VALUE; i++) out[HEAD + VALUE * c + i] = (uint8_t)((uint32_t)counts[c] >> (8u * i));
  uint8_t *bits = out + HEAD + (size_t)VALUE * channels;
  size_t at = 0;
  for (size_t i = channels; i < values; i++) {
    const uint32_t difference = (uint32_t)counts[i] - (uint32_t)counts[i - channels];
    for (unsigned k = 0; k < width; k++, at++)
      bits[at >> 3] = (uint8_t)(bits[at >> 3] | ((difference >> k) & 1u) << (at & 7u));
  }
  const uint16_t crc = felt_crc16(out, length - CRC);
  out[length - 2] = (uint8_t)crc;
  out[length - 1] = (uint8_t)(crc >> 8);
  return (int)length;
}

/* The lowest `width` bits of `raw` as a signed number. */
static int32_t signed_of(uint32_t raw, unsigned width) {
  const int32_t top = (int32_t)1 << (width - 1u);
  return (int32_t)(raw & ((uint32_t)top - 1u)) - (raw >> (width - 1u) & 1u ? top : 0);
}

int felt_decode(const uint8_t *data, size_t length, felt_head *head, int32_t *counts, size_t room) {
  if (length < felt_frame_size(1, 1, 1)) return FELT_E_LENGTH;
  if (data[0] >> 4 != FELT_VERSION) return FELT_E_VERSION;
  const unsigned samples = data[9], channels = data[10], width = data[11];
  if (!samples || !channels || !width || width > FELT_MAX_WIDTH || length != felt_frame_size(samples, channels, width))
    return FELT_E_LENGTH;
  if (felt_crc16(data, length - CRC) != (uint16_t)(data[length - 2] | data[length - 1] << 8)) return FELT_E_CRC;
  const size_t values = (size_t)samples * channels;
  if (values > room) return FELT_E_ROOM;
  head->stream = data[0] & 15u;
  head->sequence = (uint16_t)(data[1] | data[2] << 8);
  head->last_us = 0;
  for (unsigned i = 0; i < 6u; i++) head->last_us |= (uint64_t)data[3 + i] << (8u * i);
  head->samples = (uint8_t)samples;
  head->channels = (uint8_t)channels;
  head->width = (uint8_t)width;
  const uint8_t *first = data + HEAD, *bits = first + (size_t)VALUE * channels;
  for (unsigned c = 0; c < channels; c++, first += VALUE)
    counts[c] = signed_of((uint32_t)first[0] | (uint32_t)first[1] << 8 | (uint32_t)first[2] << 16, 24u);
  size_t at = 0;
  for (size_t i = channels; i < values; i++) {
    uint32_t raw = 0;
    for (unsigned k = 0; k < width; k++, at++) raw |= ((uint32_t)bits[at >> 3] >> (at & 7u) & 1u) << k;
    counts[i] = counts[i - channels] + signed_of(raw, width);
    if (counts[i] < LOW || counts[i] > HIGH) return FELT_E_VALUE;
  }
  return (int)samples;
}
