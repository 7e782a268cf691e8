"""What goes on while the phone is in a pocket: radio, recording, estimating, and what is kept between starts."""
