/* Prints what the core makes of fixed inputs: the same bytes on every processor. Ends with 1 if a check fails. */
#include <stdio.h>

#include "felt_board.h"

#define SLOTS 64u
#define FRAMES 40u

static felt_board board;
static felt_slot slots[2][SLOTS];
static unsigned failures;
static uint32_t seed = 1;

static uint32_t draw(void) { /* a linear congruential generator: the same numbers everywhere */
  seed = seed * 1664525u + 1013904223u;
  return seed >> 8;
}

static void expect(int holds, const char *what) {
  if (!holds) {
    printf("FAILED %s\n", what);
    failures++;
  }
}

static void show(const char *name, const uint8_t *bytes, size_t length) {
  printf("%s ", name);
  for (size_t i = 0; i < length; i++) printf("%02x", bytes[i]);
  printf("\n");
}

static void frames(void) {
  static int32_t counts[60], back[60];
  static uint8_t bytes[FELT_FRAME_BYTES];
  felt_head head;
  for (unsigned k = 0; k < FRAMES; k++) {
    /* One draw a statement: the order of evaluation inside a call is the compiler's choice. */
    const unsigned channels = 1u + draw() % 3u;
    const unsigned samples = 1u + draw() % 20u;
    const unsigned shift = draw() % 24u;
    const uint16_t sequence = (uint16_t)draw();
    const uint64_t last_us = draw();
    for (unsigned i = 0; i < samples * channels; i++) counts[i] = ((int32_t)(draw() & 0xFFFFFFu) - 0x800000) / (1 << shift);
    const int length = felt_encode(bytes, sizeof bytes, k % 16u, sequence, last_us, counts, samples, channels);
    expect(length > 0, "encode");
    show("frame", bytes, (size_t)length);
    expect(felt_decode(bytes, (size_t)length, &head, back, 60) == (int)samples, "decode");
    for (unsigned i = 0; i < samples * channels; i++) expect(counts[i] == back[i], "value");
    for (int bit = 0; bit < 8 * length; bit++) {
      bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
      expect(felt_decode(bytes, (size_t)length, &head, back, 60) < 0, "flipped bit");
      bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
  }
}

static void drain(uint64_t now_us) {
  static const char *const names[] = {"", "control", "data", "backfill"};
  static uint8_t out[FELT_FRAME_BYTES];
  size_t length;
  for (int kind; (kind = felt_next(&board, now_us++, out, sizeof out, &length)) != FELT_NOTHING;) {
    expect(kind > 0, "next");
    if (kind < 0) return;
    show(names[kind], out, length);
  }
}

static void ask(const char *bytes, size_t length, uint64_t now_us) {
  expect(felt_request(&board, (const uint8_t *)bytes, length, now_us, 247) == 0, "request");
  drain(now_us + 100u);
}

static void measure(unsigned from, unsigned to) {
  for (unsigned i = from; i < to; i++) {
    const int32_t eda = (int32_t)(200000u + i % 7u), acc[3] = {(int32_t)i, -(int32_t)i, 4096};
    felt_sample(&board, 0, 250000u * (uint64_t)i, &eda);
    felt_sample(&board, 1, 250000u * (uint64_t)i + 10u, acc);
    drain(250000u * (uint64_t)i + 50u);
  }
}

int main(void) {
  static const uint8_t eda[28] = {1, 2, 1, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0xf1, 0x68, 0xe3, 0x88, 0xb5, 0xf8, 0xe4, 0x3e};
  static const uint8_t acc[28] = {2, 4, 3, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x30, 0x3f};
  static uint8_t info[FELT_INFO_BYTES];
  expect(felt_crc16((const uint8_t *)"123456789", 9) == 0x29B1u, "crc");
  frames();
  felt_board_init(&board);
  expect(!felt_board_add(&board, eda, 2, slots[0], SLOTS) && !felt_board_add(&board, acc, 4, slots[1], SLOTS), "add");
  show("info", info, (size_t)felt_info(&board, info, sizeof info));
  ask("\x03\x01\x02\x03\x04", 5, 1000);
  ask("\x01\x01", 2, 2000);
  ask("\x01\x01", 2, 3000);
  ask("\x01\x02", 2, 4000);
  ask("\x01\x09", 2, 5000);
  ask("\x77", 1, 6000);
  ask("", 0, 7000);
  measure(0, 8);
  felt_disconnected(&board); /* 30 s at 4 Hz that nobody hears */
  measure(8, 128);
  ask("\x01\x01", 2, 33000000);
  ask("\x10\x01\x04\x00\x3c\x00", 6, 33000100); /* the 60 frames from number 4 on: all are there */
  ask("\x10\x01\x00\x00\xff\xff", 6, 33000200); /* whatever is kept */
  measure(128, 132);
  printf("failures %u\n", failures);
  return failures != 0;
}
