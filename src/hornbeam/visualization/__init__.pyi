from hornbeam.visualization.as_html import to_html as to_html
from hornbeam.visualization.curves import plot_learning_curves as plot_learning_curves
from hornbeam.visualization.curves import record_histories as record_histories
from hornbeam.visualization.history import plot_history as plot_history
from hornbeam.visualization.search import plot_search as plot_search
from hornbeam.visualization.table import search_table as search_table
