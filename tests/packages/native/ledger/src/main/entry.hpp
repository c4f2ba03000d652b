#pragma once
#include <memory>
#include <string>

struct Entry {
  virtual ~Entry() = default;
  virtual std::string name() const { return "debit"; }
};

struct Credit : Entry {
  std::string name() const override { return "credit"; }
};

std::unique_ptr<Entry> make_entry(long number);
