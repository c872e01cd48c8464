DROP VIEW results;
DROP TABLE schedule_gap;
DROP TABLE scheduler_state;
DROP TABLE ping_status;
DROP TABLE sites;
DROP TABLE job_queue;
DROP TABLE site_schedule;
DROP TABLE site_config;
