DROP VIEW results;
DROP TABLE schedule_gap, scheduler_state, ping_status, sites, job_queue, site_schedule, site_config;
DROP FUNCTION uptime_drop_jobs(), uptime_now();
