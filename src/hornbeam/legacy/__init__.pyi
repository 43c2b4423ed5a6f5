from hornbeam.legacy import saving as saving
