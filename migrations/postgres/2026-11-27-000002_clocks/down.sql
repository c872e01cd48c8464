DROP TABLE retention_state;
DROP TABLE clock_gap;
DROP TABLE result_log_state;
