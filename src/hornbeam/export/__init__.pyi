from hornbeam.export.archive import ExportArchive as ExportArchive
