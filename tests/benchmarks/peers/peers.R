# Rscript peers.R FOLDER CASE: seconds (least of three runs) and log-likelihood of the peer, if it is installed.
arguments <- commandArgs(TRUE)
d <- read.csv(file.path(arguments[1], paste0(arguments[2], ".csv")))
least <- function(fit) {
  seconds <- Inf
  for (run in 1:3) seconds <- min(seconds, system.time(found <- fit())[[3]])
  cat(seconds, as.numeric(logLik(found)), "\n")
}
control <- function() lme4::glmerControl(optimizer = "nloptwrap", calc.derivs = FALSE)
suppressMessages(switch(arguments[2],
  logit_slope = { library(lme4); least(function()
    glmer(y ~ x1 + x2 + x3 + (x1 | id), d, binomial, control = control())) },
  logit_three_levels = { library(lme4); least(function()
    glmer(y ~ x1 + x2 + (1 | top) + (1 | id), d, binomial, control = control())) },
  linear_slope = { library(lme4); least(function() lmer(y ~ t + (t | id), d, REML = FALSE)) },
  factors = { library(lavaan)
    model <- paste0("f", 1:10, " =~ ", sapply(0:9, function(k) paste0("y", k * 5 + 1:5, collapse = " + ")))
    least(function() cfa(paste(model, collapse = "\n"), d, meanstructure = TRUE)) }
))
