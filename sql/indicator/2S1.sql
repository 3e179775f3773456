/*
title = "Academic Proficiency in Reading/Language Arts"
education_level = "secondary"
grain = ["report_year", "student_key", "program_key"]
authority = "Perkins V section 113(b)(2)(A)(ii); Oregon guide, 2S1; specification: indicators, rule 2S population"
denominator_text = "Concentrators with a valid score in reading or language arts: tested in the report year, or last exited in it, by the rule"
numerator_text = "Of these, proficient in the latest year with a valid score"
explain = { denominator = ["score:reading_language_arts"], numerator = ["score:reading_language_arts"] }
*/
SELECT report_year, student_key, program_key, denominator, numerator, exclusion
FROM academic_candidate
WHERE subject = 'reading_language_arts'
