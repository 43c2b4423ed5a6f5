from hornbeam.visualization.history import plot_history as plot_history
