"""What the compiler says about a program: memory, cycles, communication."""
