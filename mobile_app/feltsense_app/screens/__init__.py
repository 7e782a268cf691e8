"""What is seen: each screen binds to one presenter, and decides nothing. Only here and in `main` is Kivy imported."""
