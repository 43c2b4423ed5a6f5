from hornbeam.utils.sequence import pad_sequences as pad_sequences
