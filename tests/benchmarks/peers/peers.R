# Rscript peers.R FILE WORK: processor seconds, log-likelihood, package and version of the peer, if it is installed.
arguments <- commandArgs(TRUE)
d <- read.csv(arguments[1])
timed <- function(package, fit) {
  suppressMessages(library(package, character.only = TRUE))
  seconds <- sum(system.time(found <- fit())[1:2])
  cat(seconds, as.numeric(logLik(found)), package, as.character(packageVersion(package)), "\n")
}
control <- function() lme4::glmerControl(optimizer = "nloptwrap", calc.derivs = FALSE)
slope <- function() timed("lme4", function() glmer(y ~ x1 + x2 + x3 + (x1 | id), d, binomial, control = control()))
suppressMessages(switch(arguments[2],
  slope = slope(), slope7 = slope(),
  three = timed("lme4", function() glmer(y ~ x1 + x2 + (1 | top) + (1 | id), d, binomial, control = control())),
  slope_tmb = timed("glmmTMB", function() glmmTMB(y ~ x1 + x2 + x3 + (x1 | id), d, binomial)),
  linear = timed("lme4", function() lmer(y ~ t + (t | id), d, REML = FALSE)),
  ordinal = timed("ordinal", function() { d$y <- ordered(d$y); clmm(y ~ x + (1 | id), data = d, nAGQ = 10) }),
  factors = timed("lavaan", function() {
    model <- paste0("f", 1:10, " =~ ", sapply(0:9, function(k) paste0("y", k * 5 + 1:5, collapse = " + ")))
    cfa(paste(model, collapse = "\n"), d, meanstructure = TRUE)
  })
))
